import type { Graph } from '../../ir/graph.ts';
import { meanResponse, tapShares } from './mean-response.ts';
import type { RecoveryStep } from './recovery.ts';
import { roundingErrors, type WeightedNode, weightedNodes } from './weighted-nodes.ts';

/**
 * Takes back the mean shift that rounded weights give an operator's output: `b' = b − Σ (Wq − W) · E[x]`, with the
 * mean of each input channel from calibration (Nagel et al., "Data-Free Quantization Through Weight Equalization and
 * Bias Correction", 2019, section 4.2, with measured instead of inferred means). At the border of a padded input a
 * tap sees zeros: it counts by the part of positions at which it lies inside. Starts from the model's own biases, so
 * that it can run again once the weights' integers are others. Operators that share weights and bias, as the steps of a
 * recurrence do, keep sharing them: they get the mean of their corrections.
 */
export const biasCorrection: RecoveryStep = {
  id: 'bias-correction',
  summary: 'Moves biases by the mean error that rounding the weights causes.',
  run(plan, context) {
    const biases: Record<string, readonly number[]> = { ...plan.biases };
    const shared = new Map<string, { readonly id: string; readonly bias: number[] }[]>();
    for (const each of weightedNodes(plan, context)) {
      const x = each.node.inputs[0]!;
      const factors = plan.factors[x];
      const measured = context.ranges.get(x)?.channelMeans;
      const means = factors ? measured?.map((mean, c) => mean / factors[c]) : measured;
      const corrected = means && correctedBias(context.graph, each, means);
      if (!corrected) continue;
      const key = `${each.weightsId} ${each.node.inputs[2] ?? ''}`;
      const alike = shared.get(key);
      const entry = { id: each.node.id, bias: corrected };
      if (alike) alike.push(entry);
      else shared.set(key, [entry]);
    }
    let changes = 0;
    for (const alike of shared.values()) {
      const bias = alike[0].bias.map(
        (_, m) => alike.reduce((sum, entry) => sum + entry.bias[m], 0) / alike.length,
      );
      for (const { id } of alike) biases[id] = bias;
      changes += alike.length;
    }
    return { plan: { ...plan, biases }, changes };
  },
};

function correctedBias(graph: Graph, each: WeightedNode, means: Float64Array): number[] | undefined {
  const { node, weights, group, bias } = each;
  if (means.length !== weights.shape[1] * group) return undefined;
  const shares = tapShares(graph, node, weights.shape);
  const shift = meanResponse(roundingErrors(each), weights.shape, means, group, shares);
  return Array.from(bias, (b, m) => b - shift[m]);
}
