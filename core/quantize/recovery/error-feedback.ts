import { totalMacs } from '../../ops/macs.ts';
import { affordable } from './affordable.ts';
import { gatherInputMoments } from './input-moments.ts';
import { runtimeShare, type SampledRecoveryStep } from './recovery.ts';
import { roundedForInputs, takable } from './round-weights.ts';
import { byWeights, type WeightedNode, weightedNodes } from './weighted-nodes.ts';

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
 * @param takes which operators, given those that share weights
 */
export function errorFeedbackWithin(
  mostMacs: number,
  takes: (sharing: readonly WeightedNode[]) => boolean = () => true,
): SampledRecoveryStep {
  return {
    id: 'error-feedback',
    summary:
      'Rounds weights so that their errors cancel on the inputs that samples give, and tries to turn each.',
    async run(plan, context, samples) {
      let current = plan;
      let changes = 0;
      const all = [...byWeights(takable(weightedNodes(plan, context))).values()].filter(takes).flat();
      const count = samples.indexes.length;
      const left = mostMacs - count * runtimeShare * totalMacs(context.graph);
      const nodes = affordable(all, plan, context.graph, count, left);
      await gatherInputMoments(context.graph, nodes, samples, (sharing, moments) => {
        const rounded = roundedForInputs(current, sharing, moments);
        if (!rounded) return;
        current = rounded;
        changes += sharing.length;
      });
      return { plan: current, changes };
    },
  };
}
