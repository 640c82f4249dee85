import { type Graph, staticShape, valueNamed } from '../../ir/graph.ts';
import { elementCount, toFloat32 } from '../../ir/tensor.ts';
import { totalMacs } from '../../ops/macs.ts';
import { type QuantPlan, weightLimit } from '../plan.ts';
import { gatherInputMoments, type InputMoments, mostPositions } from './input-moments.ts';
import { type RecoveryContext, runtimeShare, type SampledRecoveryStep } from './recovery.ts';
import { byWeights, type WeightedNode, weightedNodes, withIntegers } from './weighted-nodes.ts';

/** Weights that meet one output: beyond this many the matrix of their inputs takes too much memory and time. */
const mostColumns = 2304;
/** Scales tried for the weights of an output, as parts of the plan's; the plan's own comes first. */
const triedScales = [1, 0.85, 0.9, 0.95, 1.05, 1.1];

/**
 * Rounds weights column by column, each taking up at the layer's output what the ones before it left, by the inputs'
 * covariance over samples (GPTQ, Frantar et al. 2022), and then turns single weights while that leaves less error
 * (the objective of AdaRound, Nagel et al. 2020). The covariance stands in for the second moment because the bias
 * takes back the mean of the error, exactly as bias correction would. Weights that are computed with in reals may also
 * take another scale; those of integer operators keep theirs, which the kernels' limits have settled. Dense layers and
 * convolutions alike; those whose outputs meet more than `mostColumns` weights keep the nearest integers.
 */
export const errorFeedback: SampledRecoveryStep = errorFeedbackWithin(Number.POSITIVE_INFINITY);

/**
 * The same for as many weights as so many multiply-accumulates allow, those that take the least first. A runtime's, which
 * running the network takes, count by `runtimeShare`.
 */
export function errorFeedbackWithin(mostMacs: number): SampledRecoveryStep {
  return {
    id: 'error-feedback',
    summary:
      'Rounds weights so that their errors cancel on the inputs that samples give, and tries to turn each.',
    async run(plan, context, samples) {
      let values = plan.values;
      const biases: Record<string, readonly number[]> = { ...plan.biases };
      let changes = 0;
      const all = takable(weightedNodes(plan, context));
      const count = samples.indexes.length;
      const left = mostMacs - count * runtimeShare * totalMacs(context.graph);
      const nodes = affordable(all, left, (each) => work(each, plan, context, count));
      await gatherInputMoments(context.graph, nodes, samples, (sharing, moments) => {
        const tried = keepsScales(plan, sharing) ? [1] : triedScales;
        const { integers, scales } = roundAll(sharing[0], moments, tried);
        const rescaled = { ...sharing[0], plan: { ...sharing[0].plan, scales } };
        const changed = withIntegers(values, rescaled, integers);
        if (!changed) return;
        values = changed;
        for (const each of sharing) biases[each.node.id] = shiftedBias(each, integers, scales, moments);
        changes += sharing.length;
      });
      return { plan: { ...plan, values, biases }, changes };
    },
  };
}

/** Multiply-accumulates that one operator takes: its inputs' covariance, solving for it, turning its weights. */
function work(each: WeightedNode, plan: QuantPlan, { graph }: RecoveryContext, samples: number): number {
  const { group, columns, weights } = each;
  const positions = Math.min(mostPositions, positionsOf(graph, each));
  const solving = group * columns ** 2 * (samples * (1 + runtimeShare * positions) + columns / 6);
  const rounds = keepsScales(plan, [each]) ? 1 : triedScales.length;
  return solving + weights.shape[0] * columns ** 2 * (1 + rounds / 2);
}

/** Operators from the cheapest on, while all that share their weights fit in as well; in their own order. */
function affordable(
  nodes: readonly WeightedNode[],
  most: number,
  workOf: (node: WeightedNode) => number,
): WeightedNode[] {
  const costs = [...byWeights(nodes).values()].map((sharing) => ({
    sharing,
    cost: sharing.reduce((sum, node) => sum + workOf(node), 0),
  }));
  const taken = new Set<WeightedNode>();
  let total = 0;
  for (const { sharing, cost } of costs.sort((a, b) => a.cost - b.cost)) {
    total += cost;
    if (total > most) break;
    for (const node of sharing) taken.add(node);
  }
  return nodes.filter((node) => taken.has(node));
}

function takable(nodes: readonly WeightedNode[]): WeightedNode[] {
  return nodes.filter(({ columns, plan }) => columns <= mostColumns && isSymmetric(plan));
}

function isSymmetric({ zeroPoints }: WeightedNode['plan']): boolean {
  return zeroPoints.every((zeroPoint) => zeroPoint === 0);
}

function keepsScales(plan: QuantPlan, sharing: readonly WeightedNode[]): boolean {
  return sharing.some(({ node, weights, plan: { scales } }) => {
    return plan.nodes[node.id].mode === 'integer' || scales.length !== weights.shape[0];
  });
}

/** Output positions of one sample. */
function positionsOf(graph: Graph, { node, weights }: WeightedNode): number {
  return elementCount(staticShape(valueNamed(graph, node.outputs[0]))) / weights.shape[0];
}

function roundAll(
  { weights, plan, scales, columns, group }: WeightedNode,
  moments: InputMoments,
  tried: readonly number[],
): { integers: Int8Array; scales: readonly number[] } {
  const data = toFloat32(weights);
  const integers = new Int8Array(data.length);
  const limit = weightLimit(plan);
  const chosen = [...scales];
  const rowsPerGroup = weights.shape[0] / group;
  const attempt = new Int8Array(data.length);
  for (let g = 0, row = 0; g < group; g++) {
    const feedback = moments.feedback(g);
    for (let r = 0; r < rowsPerGroup; r++, row++) {
      const from = row * columns;
      let least = Number.POSITIVE_INFINITY;
      for (const part of tried) {
        const scale = Math.fround(scales[row] * part);
        const error = feedback.round(data, from, scale, limit, attempt);
        if (error >= least) continue;
        [least, chosen[row]] = [error, scale];
        integers.set(attempt.subarray(from, from + columns), from);
      }
      feedback.descend(data, from, chosen[row], limit, integers);
    }
  }
  return { integers, scales: plan.scales.length === 1 ? plan.scales : chosen };
}

/** The model's bias less the mean of the error that the integers make. */
function shiftedBias(
  node: WeightedNode,
  integers: Int8Array,
  scales: readonly number[],
  moments: InputMoments,
): number[] {
  const { weights, columns, group, bias } = node;
  const data = toFloat32(weights);
  const rowsPerGroup = weights.shape[0] / group;
  const means = Array.from({ length: group }, (_, g) => moments.means(g));
  return Array.from(bias, (b, row) => {
    const mean = means[Math.floor(row / rowsPerGroup)];
    let shift = 0;
    for (let c = 0, at = row * columns; c < columns; c++, at++)
      shift += (integers[at] * (scales[row] ?? scales[0]) - data[at]) * mean[c];
    return b - shift;
  });
}
