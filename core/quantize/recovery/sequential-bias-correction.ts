import { GraphExtension } from '../../calibrate/graph-extension.ts';
import { openGraph } from '../../calibrate/open-graph.ts';
import { WhittleError } from '../../contract/errors.ts';
import { type Graph, type Node, staticShape, type ValueId, valueNamed } from '../../ir/graph.ts';
import { int64Tensor, toFloat32 } from '../../ir/tensor.ts';
import { spread } from '../../kernels/spread.ts';
import { totalMacs } from '../../ops/macs.ts';
import { applyPlanForOnnx } from '../apply-qdq.ts';
import type { QuantPlan } from '../plan.ts';
import { meanResponse, tapShares } from './mean-response.ts';
import { type RecoverySamples, runtimeShare, type SampledRecoveryStep } from './recovery.ts';
import { roundedWeights, unshared, type WeightedNode, weightedNodes } from './weighted-nodes.ts';

/** Parts of the network that are corrected one after another, each with a run of its own, and samples of each run. */
interface Effort {
  readonly stretches: number;
  readonly samples: number;
}

const thorough: Effort = { stretches: 8, samples: Number.POSITIVE_INFINITY };
/** Nearly as good, in a third of the time. */
const quick: Effort = { stretches: 4, samples: 32 };

/**
 * Runs the quantized network and takes back the mean error of each channel of each weighted operator's result, before
 * its activation, from the inputs on to the outputs (Nagel et al., "Data-Free Quantization Through Weight Equalization
 * and Bias Correction", 2019, appendix D): rounding of activations, clipping and what they lead to further on are
 * taken back too. The paper runs the network once for each operator; here it runs once for each of a few stretches of
 * operators. Within one, an operator behind others takes back only what it adds itself: what reaches it, by its
 * weights' response to the mean error of its input, is about to be taken back before it.
 */
export const sequentialBiasCorrection: SampledRecoveryStep = correcting(thorough, Number.POSITIVE_INFINITY);

/** The same with less effort, where so many multiply-accumulates allow it; the runtime's count by `runtimeShare`. */
export function sequentialBiasCorrectionWithin(mostMacs: number): SampledRecoveryStep {
  return correcting(quick, mostMacs);
}

function correcting(effort: Effort, mostMacs: number): SampledRecoveryStep {
  return {
    id: 'sequential-bias-correction',
    summary: 'Moves biases by the mean errors that the quantized network shows, from its inputs on.',
    async run(plan, context, given) {
      const samples = { ...given, indexes: spread(given.indexes, effort.samples) };
      // Operators that share weights, as the steps of a recurrence do, keep the bias that they share as well.
      const nodes = unshared(weightedNodes(plan, context)).filter(({ node }) =>
        isOneToOne(context.graph, node),
      );
      const runs = Math.min(effort.stretches, nodes.length);
      // Each stretch needs the network up to itself alone: half of it on average.
      const macs = samples.indexes.length * totalMacs(context.graph) * (1 + (runs + 1) / 2);
      if (nodes.length === 0 || macs * runtimeShare > mostMacs) return { plan, changes: 0 };
      const wanted = await channelMeans(context.graph, nodes, samples);
      let current = plan;
      for (let run = 0; run < runs; run++) {
        const stretch = nodes.slice(
          Math.floor((run * nodes.length) / runs),
          Math.floor(((run + 1) * nodes.length) / runs),
        );
        const quantized = applyPlanForOnnx(context.graph, current, { io: 'float32' });
        const found = await channelMeans(quantized, stretch, samples);
        current = corrected(current, context.graph, stretch, wanted, found);
      }
      return { plan: current, changes: nodes.length };
    },
  };
}

/** Means per channel of an operator's input and of its result before the activation. */
interface NodeMeans {
  readonly input: Float64Array;
  readonly result: Float64Array;
}

function corrected(
  plan: QuantPlan,
  graph: Graph,
  stretch: readonly WeightedNode[],
  wanted: ReadonlyMap<string, NodeMeans>,
  found: ReadonlyMap<string, NodeMeans>,
): QuantPlan {
  const biases: Record<string, readonly number[]> = { ...plan.biases };
  const behind = behindOthers(graph, stretch);
  for (const each of stretch) {
    const { node, weights, group } = each;
    const [want, got] = [wanted.get(node.id)!, found.get(node.id)!];
    const error = got.result.map((mean, m) => mean - want.result[m]);
    if (behind.has(node.id)) {
      const inputError = got.input.map((mean, c) => mean - want.input[c]);
      const shares = tapShares(graph, node, weights.shape);
      const passed = meanResponse(roundedWeights(each), weights.shape, inputError, group, shares);
      for (let m = 0; m < error.length; m++) error[m] -= passed[m];
    }
    const bias = plan.biases[node.id] ?? each.bias;
    biases[node.id] = Array.from(bias, (b, m) => b - error[m]);
  }
  return { ...plan, biases };
}

/** Those of some operators whose input hangs on others of them. */
function behindOthers(graph: Graph, stretch: readonly WeightedNode[]): Set<string> {
  const members = new Set(stretch.map(({ node }) => node.id));
  const touched = new Set<ValueId>();
  const behind = new Set<string>();
  for (const node of graph.nodes) {
    const isBehind = node.inputs.some((id) => id !== null && touched.has(id));
    if (isBehind && members.has(node.id)) behind.add(node.id);
    if (isBehind || members.has(node.id)) for (const id of node.outputs) touched.add(id);
  }
  return behind;
}

/** An operator must make one result, of channels that lie where it says. */
function isOneToOne(graph: Graph, node: Node): boolean {
  const shape = staticShape(valueNamed(graph, node.outputs[0]));
  return node.outputs.length === 1 && shape.length >= 2;
}

/** Runs samples through a graph that holds the operators (by name) and takes means over samples and positions. */
async function channelMeans(
  graph: Graph,
  weighted: readonly WeightedNode[],
  { dataset, indexes, engine, signal }: RecoverySamples,
): Promise<Map<string, NodeMeans>> {
  const extension = new GraphExtension(graph);
  const byName = new Map(graph.nodes.map((node) => [node.id, node]));
  const taps = weighted.map(({ node: { id } }) => {
    const node = byName.get(id)!;
    const isChannelsFirst = node.attrs.layout === 'NCHW';
    const mean = (value: ValueId, shape: readonly number[]): ValueId => {
      const channel = isChannelsFirst ? 1 : shape.length - 1;
      const axes = [...shape.keys()].filter((axis) => axis !== channel);
      const over = extension.constant(`means/${id}/axes`, int64Tensor([axes.length], axes));
      return extension.addReals('ReduceMean', `means/${id}`, [value, over], { keepDims: false }, [
        shape[channel],
      ]);
    };
    const shapeOf = (value: ValueId) => staticShape(valueNamed(graph, value));
    const shape = shapeOf(node.outputs[0]);
    const linear =
      (node.attrs.activation ?? 'none') === 'none'
        ? node.outputs[0]
        : extension.addReals(
            node.op,
            `${id}/linear`,
            node.inputs,
            { ...node.attrs, activation: 'none' },
            shape,
          );
    const input = node.inputs[0]!;
    return { id, input: mean(input, shapeOf(input)), result: mean(linear, shape) };
  });
  const outputs = taps.flatMap(({ input, result }) => [input, result]);
  const session = await openGraph(
    engine,
    extension.finish(outputs),
    {},
    { yields: true, graphOptimization: 'off' },
  );
  const sums = new Map<ValueId, Float64Array>();
  try {
    for (const index of indexes) {
      if (signal?.aborted) throw new WhittleError('job.cancelled', 'recovery was cancelled');
      const results = await session.run(await dataset.sample(index));
      for (const id of outputs) {
        const values = toFloat32(results[id]);
        const sum = sums.get(id) ?? new Float64Array(values.length);
        for (let c = 0; c < sum.length; c++) sum[c] += values[c];
        sums.set(id, sum);
      }
    }
  } finally {
    await session.close();
  }
  const meanOf = (id: ValueId) => sums.get(id)!.map((sum) => sum / indexes.length);
  return new Map(taps.map(({ id, input, result }) => [id, { input: meanOf(input), result: meanOf(result) }]));
}
