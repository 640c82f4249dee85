import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Graph, Value } from '../ir/graph.ts';
import { contiguous, toFloat32 } from '../ir/tensor.ts';
import { expectClose, runInLiteRt, runInOrt, toChannelsLast } from '../testing/check-op.ts';
import { GraphKit } from '../testing/graph-kit.ts';
import { prepareForOnnx } from './pipeline.ts';

/** One step of a random network over a feature map; each falls back to doing nothing where it does not fit. */
const steps = {
  conv: (k, x) => k.conv(x, 4, 1 + (size(k, x) > 2 ? 2 : 0), { pads: [1, 0, 0, 1] }),
  depthwise: (k, x) => k.conv(x, k.channels(x), 1, { group: k.channels(x) }),
  strided: (k, x) => k.conv(x, 2, 2, { strides: [2, 2], pads: [0, 0, 1, 1] }),
  batchNorm: (k, x) => k.batchNorm(x),
  relu: (k, x) => k.relu(x),
  relu6: (k, x) => k.relu6(x),
  maxPool: (k, x) => (size(k, x) < 2 ? x : k.pool('MaxPool', x, 2)),
  averagePool: (k, x) => (size(k, x) < 2 ? x : k.pool('AveragePool', x, 2)),
  pad: (k, x) => k.pad(x, [1, 0], [0, 1]),
  padOther: (k, x) => k.pad(x, [0, 1], [1, 0], 0.25),
  scale: (k, x) => k.binary('Mul', x, k.weight(perChannel(k, k.channels(x)))),
  offset: (k, x) => k.binary('Sub', k.weight(perChannel(k, k.channels(x))), x),
  scalar: (k, x) => k.binary('Div', x, k.constant([], [3])),
  residual: (k, x) => k.binary('Add', x, k.op('Sigmoid', [x])),
  gate: (k, x) => k.binary('Mul', x, k.op('Sigmoid', [k.globalMean(x, true)])),
  concat: (k, x) => k.op('Concat', [x, k.op('Tanh', [x])], { axis: channelAxisOf(k) }),
  softmax: (k, x) => k.op('Softmax', [x], { axis: channelAxisOf(k) }),
  slice: (k, x) => k.op('Slice', [x, k.ints(1), k.ints(99), k.ints(channelAxisOf(k)), null]),
  thereAndBack: (k, x) => k.transpose(k.relu(k.transpose(x, 0, 2, 1, 3)), 0, 2, 1, 3),
  regroup: (k, x) => {
    const shape = x.type.shape as number[];
    return k.reshape(k.op('Tanh', [k.reshape(x, shape[0], shape[1] * shape[2], shape[3])]), ...shape);
  },
} satisfies Record<string, (kit: GraphKit, x: Value) => Value>;

const heads = {
  flatten: (k: GraphKit, x: Value) => k.dense(k.relu(k.dense(k.flatten(x), 5)), 3),
  features: (k: GraphKit, x: Value) => k.flatten(x),
  mean: (k: GraphKit, x: Value) => k.dense(k.globalMean(x), 3),
  wholeMean: (k: GraphKit, x: Value) => k.op('ReduceMean', [x, k.ints(1, 2, 3)], { keepDims: false }),
  squeezed: (k: GraphKit, x: Value) =>
    k.op('Softmax', [k.op('Unsqueeze', [k.globalMean(x), k.ints(0)])], { axis: -1 }),
};

function channelAxisOf(kit: GraphKit): number {
  return kit.layout === 'NCHW' ? 1 : 3;
}

function perChannel(kit: GraphKit, channels: number): number[] {
  return kit.layout === 'NCHW' ? [channels, 1, 1] : [channels];
}

/** The shorter side of a map. */
function size(kit: GraphKit, x: Value): number {
  const [, a, b, c] = x.type.shape as number[];
  return kit.layout === 'NCHW' ? Math.min(b, c) : Math.min(a, b);
}

interface Network {
  seed: number;
  steps: (keyof typeof steps)[];
  head: keyof typeof heads;
  channels: number;
  /** The map after this many steps is an output as well. */
  tap: number;
}

function build(network: Network, layout: 'NCHW' | 'NHWC'): { kit: GraphKit; graph: Graph } {
  const kit = new GraphKit(network.seed, layout);
  let x = layout === 'NCHW' ? kit.input(1, network.channels, 6, 5) : kit.input(1, 6, 5, network.channels);
  let tapped: Value | undefined;
  for (const [i, step] of network.steps.entries()) {
    const next = steps[step](kit, x);
    // An empty slice ends here; nothing can be computed from no channels.
    if (!next.type.shape.includes(0)) x = next;
    if (i === network.tap && layout === 'NCHW') tapped = x;
  }
  const head = heads[network.head](kit, x);
  return { kit, graph: tapped ? kit.finish(head, tapped) : kit.finish(head) };
}

/** Reshapes of a map mean different things in the two layouts, so that the results cannot be compared. */
const layoutBound: readonly (keyof typeof steps)[] = ['regroup', 'thereAndBack'];

const stepNames = Object.keys(steps) as (keyof typeof steps)[];
const networks = (names: readonly (keyof typeof steps)[]) =>
  fc.record({
    seed: fc.integer({ min: 1, max: 10_000 }),
    steps: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 9 }),
    head: fc.constantFrom(...(Object.keys(heads) as (keyof typeof heads)[])),
    channels: fc.constantFrom(1, 2, 3),
    tap: fc.nat(12),
  });

const options = { numRuns: 60, seed: 20_251_125 };

describe('random networks', () => {
  it('compute the same after preparation, in onnxruntime and in LiteRT', async () => {
    await fc.assert(
      fc.asyncProperty(networks(stepNames), async (network) => {
        const { kit, graph } = build(network, 'NCHW');
        const expected = await runInOrt(graph, kit.feeds);
        const prepared = await runInOrt(prepareForOnnx(graph).graph, kit.feeds);
        const { results } = await runInLiteRt(graph, kit.feeds);
        for (const name of graph.outputs) {
          const most = toFloat32(expected[name]).reduce((largest, v) => Math.max(largest, Math.abs(v)), 1);
          expectClose(prepared[name], expected[name], 2e-5 * most);
          expectClose(results[name], expected[name], 2e-5 * most);
        }
      }),
      options,
    );
  }, 120_000);

  it('compute the same whichever layout the source has', async () => {
    const comparable = stepNames.filter((name) => !layoutBound.includes(name));
    await fc.assert(
      fc.asyncProperty(networks(comparable), async (network) => {
        const first = build(network, 'NCHW');
        const last = build(network, 'NHWC');
        const expected = await runInOrt(first.graph, first.kit.feeds);
        const turned = { x0: contiguous(toChannelsLast(first.kit.feeds.x0)) };
        const prepared = await runInOrt(prepareForOnnx(last.graph).graph, turned);
        const { results } = await runInLiteRt(last.graph, turned);
        const [a] = first.graph.outputs;
        const [b] = last.graph.outputs;
        const most = toFloat32(expected[a]).reduce((largest, v) => Math.max(largest, Math.abs(v)), 1);
        expectClose(prepared[b], expected[a], 2e-5 * most);
        expectClose(results[b], expected[a], 2e-5 * most);
      }),
      options,
    );
  }, 120_000);
});
