import { type Graph, staticShape, valueNamed } from '../../ir/graph.ts';
import { elementCount, toFloat32 } from '../../ir/tensor.ts';
import { ErrorFeedback } from '../../kernels/error-feedback.ts';
import { weightLimit } from '../plan.ts';
import { gatherInputMoments, type InputMoments, mostPositions } from './input-moments.ts';
import type { SampledRecoveryStep } from './recovery.ts';
import { type WeightedNode, weightedNodes, withIntegers } from './weighted-nodes.ts';

/** Weights that meet one output: beyond this many the matrix of their inputs takes too much memory and time. */
const mostColumns = 2304;
/** A product that the runtime's matrix kernels make, against one in a loop of ours. */
const runtimeShare = 0.05;

/**
 * Rounds weights column by column, each taking up at the layer's output what the ones before it left, by the inputs'
 * covariance over samples (GPTQ, Frantar et al. 2022). The covariance stands in for the second moment because the bias
 * takes back the mean of the error, exactly as bias correction would. Dense layers and convolutions alike; those whose
 * outputs meet more than `mostColumns` weights keep the nearest integers.
 */
export const errorFeedback: SampledRecoveryStep = {
  id: 'error-feedback',
  summary: 'Rounds weights so that their errors cancel on the inputs that samples give.',
  work(plan, context, samples) {
    let total = 0;
    for (const each of takable(weightedNodes(plan, context))) {
      const { group, columns, weights } = each;
      const positions = Math.min(mostPositions, positionsOf(context.graph, each));
      total += group * columns ** 2 * (samples * (1 + runtimeShare * positions) + columns / 6);
      total += (weights.shape[0] * columns ** 2) / 2;
    }
    return total;
  },
  async run(plan, context, samples) {
    let values = plan.values;
    const biases: Record<string, readonly number[]> = { ...plan.biases };
    let changes = 0;
    const nodes = takable(weightedNodes(plan, context));
    await gatherInputMoments(context.graph, nodes, samples, (sharing, moments) => {
      const integers = roundAll(sharing[0], moments);
      const changed = integers && withIntegers(values, sharing[0], integers);
      if (!changed) return;
      values = changed;
      for (const each of sharing) biases[each.node.id] = shiftedBias(each, integers, moments);
      changes += sharing.length;
    });
    return { plan: { ...plan, values, biases }, changes };
  },
};

function takable(nodes: readonly WeightedNode[]): WeightedNode[] {
  return nodes.filter(({ columns, plan }) => columns <= mostColumns && isSymmetric(plan));
}

function isSymmetric({ zeroPoints }: WeightedNode['plan']): boolean {
  return zeroPoints.every((zeroPoint) => zeroPoint === 0);
}

/** Output positions of one sample. */
function positionsOf(graph: Graph, { node, weights }: WeightedNode): number {
  return elementCount(staticShape(valueNamed(graph, node.outputs[0]))) / weights.shape[0];
}

function roundAll(node: WeightedNode, moments: InputMoments): Int8Array | undefined {
  const { weights, plan, scales, columns, group } = node;
  const data = toFloat32(weights);
  const integers = new Int8Array(data.length);
  const limit = weightLimit(plan);
  const rowsPerGroup = weights.shape[0] / group;
  for (let g = 0, row = 0; g < group; g++) {
    const feedback = new ErrorFeedback(moments.covariance(g), columns, moments.observations);
    for (let r = 0; r < rowsPerGroup; r++, row++)
      feedback.round(data, row * columns, scales[row], limit, integers);
  }
  return integers;
}

/** The model's bias less the mean of the error that the integers make. */
function shiftedBias(node: WeightedNode, integers: Int8Array, moments: InputMoments): number[] {
  const { weights, scales, columns, group, bias } = node;
  const data = toFloat32(weights);
  const rowsPerGroup = weights.shape[0] / group;
  const means = Array.from({ length: group }, (_, g) => moments.means(g));
  return Array.from(bias, (b, row) => {
    const mean = means[Math.floor(row / rowsPerGroup)];
    let shift = 0;
    for (let c = 0, at = row * columns; c < columns; c++, at++)
      shift += (integers[at] * scales[row] - data[at]) * mean[c];
    return b - shift;
  });
}
