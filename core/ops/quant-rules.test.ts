import { describe, expect, it } from 'vitest';
import type { Ranges } from '../calibrate/observer.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import type { Attrs, Graph, Value } from '../ir/graph.ts';
import { type Tensor, toFloat32 } from '../ir/tensor.ts';
import { prepareForOnnx, prepareForTflite } from '../passes/pipeline.ts';
import { planQuantization, quantizeForTflite } from '../quantize/quantize.ts';
import { createEngines } from '../runtime/engines.ts';
import { runInOrt } from '../testing/check-op.ts';
import { GraphKit } from '../testing/graph-kit.ts';
import { definitionOf, quantRuleOf } from './registry.ts';
import type { OpName } from './vocabulary.ts';

const engine = await createEngines().tflite();

/** One operator fed by computed values, so that every operand has a range of its own. */
const builds: Partial<Record<OpName, (k: GraphKit, x: Value) => Value>> = {
  Conv: (k, x) => k.conv(x, 4, 3),
  ConvTranspose: (k, x) => k.convTranspose(x, 4, 3, { strides: [2, 2] }),
  FullyConnected: (k, x) => k.dense(k.reshape(x, 1, 108), 5),
  MatMul: (k, x) => k.op('MatMul', [x, k.transpose(x, 0, 1, 3, 2)]),
  MaxPool: (k, x) => k.conv(k.pool('MaxPool', x, 2), 2, 1),
  AveragePool: (k, x) => k.conv(k.pool('AveragePool', x, 2), 2, 1),
  Relu: (k, x) => k.relu(k.op('Tanh', [x])),
  Clip: (k, x) => k.op('Clip', [x, k.constant([], [-0.4]), k.constant([], [0.3])]),
  LeakyRelu: (k, x) => k.op('LeakyRelu', [x], { alpha: 0.1 }),
  PRelu: (k, x) => k.op('PRelu', [x, k.weight([3, 1, 1], 0, 0.5)]),
  Elu: (k, x) => k.op('Elu', [x], { alpha: 1 }),
  Sigmoid: (k, x) => k.op('Sigmoid', [x]),
  HardSwish: (k, x) => k.op('HardSwish', [x]),
  Swish: (k, x) => k.op('Swish', [x]),
  Tanh: (k, x) => k.op('Tanh', [x]),
  Gelu: (k, x) => k.op('Gelu', [x], { approximate: false }),
  Softmax: (k, x) => k.op('Softmax', [x], { axis: 3 }),
  LogSoftmax: (k, x) => k.op('LogSoftmax', [x], { axis: 3 }),
  Add: (k, x) => k.binary('Add', x, k.op('Tanh', [x])),
  Sub: (k, x) => k.binary('Sub', k.op('Tanh', [x]), x),
  Mul: (k, x) => k.binary('Mul', x, k.op('Tanh', [x])),
  Max: (k, x) => k.op('Max', [x, k.op('Neg', [x])]),
  Min: (k, x) => k.op('Min', [x, k.op('Tanh', [x])]),
  Abs: (k, x) => k.op('Abs', [x]),
  Exp: (k, x) => k.op('Exp', [x]),
  ReduceMean: (k, x) => k.globalMean(x),
  ReduceSum: (k, x) => k.op('ReduceSum', [x, k.ints(2, 3)], { keepDims: false }),
  ReduceMax: (k, x) => k.op('ReduceMax', [x, k.ints(2, 3)], { keepDims: true }),
  Concat: (k, x) => k.op('Concat', [x, k.op('Tanh', [x])], { axis: 1 }),
  Slice: (k, x) => k.op('Slice', [x, k.ints(1), k.ints(5), k.ints(2), k.ints(2)]),
  Pad: (k, x) => k.pad(x, [1, 0], [0, 2]),
  Transpose: (k, x) => k.transpose(x, 0, 2, 1, 3),
};

/** What calibration on this one sample finds. */
async function rangesOf(graph: Graph, feeds: Record<string, Tensor>): Promise<Ranges> {
  const computed = graph.nodes.flatMap((node) => node.outputs);
  const all = { ...graph, outputs: computed };
  const results = { ...feeds, ...(await runInOrt(all, feeds)) };
  return new Map(
    Object.entries(results).map(([id, tensor]) => {
      const values = toFloat32(tensor);
      return [id, { min: Math.min(...values), max: Math.max(...values) }] as const;
    }),
  );
}

function sqnrDb(want: Float32Array, got: Float32Array): number {
  let noise = 0;
  let signal = 0;
  want.forEach((value, i) => {
    noise += (value - got[i]) ** 2;
    signal += value ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe('an integer kernel that a rule promises', () => {
  const promised = Object.entries(builds).flatMap(([op, build]) => {
    const kernels = definitionOf(op)?.quant?.tflite;
    return (['int8', 'int16x8'] as const).map((precision) => ({
      op,
      precision,
      build,
      promised: kernels?.[precision] ?? false,
    }));
  });

  it.each(promised)('$op, $precision: $promised', async ({ op, precision, build, promised: has }) => {
    const kit = new GraphKit(3);
    const graph = kit.finish(build(kit, kit.binary('Mul', kit.input(1, 3, 6, 6), kit.constant([], [2]))));
    const onnx = prepareForOnnx(graph).graph;
    const tflite = prepareForTflite(graph, { layout: 'keep' }).graph;
    const ranges = await rangesOf(onnx, kit.feeds);
    const plan = planQuantization({ tflite, onnx }, ranges, { precision, io: 'float32', pureInteger: true });
    const written = writeTflite(quantizeForTflite(tflite, plan, { io: 'float32' }).graph);
    const session = await engine.open(written.bytes);
    const [name] = graph.outputs;
    const got = toFloat32((await session.run(kit.feeds))[name]);
    await session.close();
    const want = toFloat32((await runInOrt(graph, kit.feeds))[name]);
    const node = tflite.nodes.find((each) => each.op === op);
    expect(plan.nodes[node?.id ?? '']?.mode === 'integer').toBe(has);
    expect(sqnrDb(want, got)).toBeGreaterThan(precision === 'int8' ? 35 : 38);
  });
});

const flat: Attrs = { strides: [1, 1] };

it.each<[string, string, Attrs, boolean]>([
  ['a transposed convolution', 'ConvTranspose', { ...flat, group: 1, dilations: [1, 1] }, true],
  ['one in groups', 'ConvTranspose', { ...flat, group: 2, dilations: [1, 1] }, false],
  ['one with dilations', 'ConvTranspose', { ...flat, group: 1, dilations: [1, 2] }, false],
  ['linear interpolation', 'Resize', { mode: 'linear' }, true],
  ['cubic interpolation', 'Resize', { mode: 'cubic' }, false],
  ['antialiased interpolation', 'Resize', { mode: 'linear', antialias: true }, false],
])('%s has integers as far as kernels take it', (_, op, attrs, takes) => {
  expect(quantRuleOf({ id: 'n', op, inputs: [], outputs: [], attrs }) !== undefined).toBe(takes);
});

it.each(['Conv', 'ConvTranspose'])('%s over three axes has weights to store, but no integer kernel', (op) => {
  const attrs = { group: 1, strides: [1, 1, 1], dilations: [1, 1, 1] };
  const rule = quantRuleOf({ id: 'n', op, inputs: [], outputs: [], attrs });
  expect(rule?.inputs[1].kind).toBe('weight');
  expect(rule?.tflite).toEqual({ int8: false, int16x8: false, dynamicInt8: false });
});
