import { toFloat32 } from '../../ir/tensor.ts';
import { type QuantPlan, weightLimit } from '../plan.ts';
import type { InputMoments } from './input-moments.ts';
import { type WeightedNode, withIntegers } from './weighted-nodes.ts';

/** Weights that meet one output: beyond this many the matrix of their inputs takes too much memory and time. */
const mostColumns = 2304;
/** Scales tried for the weights of an output, as parts of the plan's; the plan's own comes first. */
const triedScales = [1, 0.85, 0.9, 0.95, 1.05, 1.1];

/** What an operator's results lack where it gets other inputs than it should, against those inputs, over all positions. */
export interface Missed {
  /** `[outputs]` */
  readonly sums: Float64Array;
  /** With the inputs: `[outputs, columns]`. */
  readonly products: Float64Array;
}

/** The operators whose weights can be rounded for their inputs. */
export function takable(nodes: readonly WeightedNode[]): WeightedNode[] {
  return nodes.filter(({ columns, plan }) => {
    return columns <= mostColumns && plan.zeroPoints.every((zeroPoint) => zeroPoint === 0);
  });
}

/** Which scales are tried, as parts of the plan's: those of integer operators have been settled by the kernels' limits. */
export function scalesTried(plan: QuantPlan, sharing: readonly WeightedNode[]): readonly number[] {
  const keeps = sharing.some(({ node, weights, plan: { scales } }) => {
    return plan.nodes[node.id].mode === 'integer' || scales.length !== weights.shape[0];
  });
  return keeps ? triedScales.slice(0, 1) : triedScales;
}

/**
 * A plan with weights rounded so that what they make of inputs with these moments comes close to what they should, and
 * with biases that take the mean of the error back.
 * @param sharing operators that share the weights
 * @param moments of the inputs that the operators will get
 * @param missed what the float weights would leave to be made up for, if their inputs are not the float network's
 * @returns undefined where the weights' two forms do not match
 */
export function roundedForInputs(
  plan: QuantPlan,
  sharing: readonly WeightedNode[],
  moments: InputMoments,
  missed?: Missed,
): QuantPlan | undefined {
  const [first] = sharing;
  const goal = missed ? goalOf(first, moments, missed) : toFloat32(first.weights);
  const { integers, scales } = roundAll(first, goal, moments, scalesTried(plan, sharing));
  const values = withIntegers(plan.values, { ...first, plan: { ...first.plan, scales } }, integers);
  if (!values) return undefined;
  const biases: Record<string, readonly number[]> = { ...plan.biases };
  for (const each of sharing) biases[each.node.id] = shiftedBias(each, integers, scales, moments, missed);
  return { ...plan, values, biases };
}

/** The weights whose results come closest, in least squares that hold them to the float ones. */
function goalOf(
  { weights, columns, group }: WeightedNode,
  moments: InputMoments,
  missed: Missed,
): Float32Array {
  const goal = toFloat32(weights).slice();
  const rowsPerGroup = weights.shape[0] / group;
  const change = new Float64Array(columns);
  for (let g = 0, row = 0; g < group; g++) {
    const feedback = moments.feedback(g);
    const means = moments.means(g);
    for (let r = 0; r < rowsPerGroup; r++, row++) {
      const from = row * columns;
      const mean = missed.sums[row] / moments.positions;
      for (let c = 0; c < columns; c++)
        change[c] = missed.products[from + c] / moments.positions - mean * means[c];
      feedback.solve(change);
      for (let c = 0; c < columns; c++) goal[from + c] += change[c];
    }
  }
  return goal;
}

function roundAll(
  { weights, plan, scales, columns, group }: WeightedNode,
  goal: Float32Array,
  moments: InputMoments,
  tried: readonly number[],
): { integers: Int8Array; scales: readonly number[] } {
  const integers = new Int8Array(goal.length);
  const limit = weightLimit(plan);
  const chosen = [...scales];
  const rowsPerGroup = weights.shape[0] / group;
  const attempt = new Int8Array(goal.length);
  for (let g = 0, row = 0; g < group; g++) {
    const feedback = moments.feedback(g);
    for (let r = 0; r < rowsPerGroup; r++, row++) {
      const from = row * columns;
      let least = Number.POSITIVE_INFINITY;
      for (const part of tried) {
        const scale = Math.fround(scales[row] * part);
        const error = feedback.round(goal, from, scale, limit, attempt);
        if (error >= least) continue;
        [least, chosen[row]] = [error, scale];
        integers.set(attempt.subarray(from, from + columns), from);
      }
      feedback.descend(goal, from, chosen[row], limit, integers);
    }
  }
  return { integers, scales: plan.scales.length === 1 ? plan.scales : chosen };
}

/** The model's bias less the mean of the error that is left. */
function shiftedBias(
  { weights, columns, group, bias }: WeightedNode,
  integers: Int8Array,
  scales: readonly number[],
  moments: InputMoments,
  missed: Missed | undefined,
): number[] {
  const data = toFloat32(weights);
  const rowsPerGroup = weights.shape[0] / group;
  const means = Array.from({ length: group }, (_, g) => moments.means(g));
  return Array.from(bias, (b, row) => {
    const mean = means[Math.floor(row / rowsPerGroup)];
    let shift = missed ? -missed.sums[row] / moments.positions : 0;
    for (let c = 0, at = row * columns; c < columns; c++, at++)
      shift += (integers[at] * (scales[row] ?? scales[0]) - data[at]) * mean[c];
    return b - shift;
  });
}
