import { type FindingKind, keepFloat, lossOf, write } from './finding.ts';

/** Largest weight ÷ root of the mean square; normally distributed weights have 3 to 4.5. */
const leastPeak: Readonly<Record<number, number>> = { 4: 7, 8: 24 };
const leastLossDb = 3;

/** One weight of a channel is so large that the step it sets is coarse for all others. */
export const weightOutlier: FindingKind = {
  id: 'weight-outlier',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      const { weights, name, op } = operator;
      if (!weights || !(weights.peakToRms >= (leastPeak[weights.bits] ?? Number.POSITIVE_INFINITY)))
        return [];
      const loss = lossOf(facts, operator);
      if (loss.db < leastLossDb) return [];
      const levels = (2 ** (weights.bits - 1) - 1) / weights.peakToRms;
      return [
        {
          severity: 'warning',
          title: 'One weight sets the step of its channel',
          text: `In channel ${weights.channel} the largest weight is ${write(weights.peakToRms)} times the usual one, which is left with ${write(levels)} steps on either side of zero in int${weights.bits}.`,
          node: name,
          op,
          weight: loss.db,
          trial:
            weights.bits === 4
              ? {
                  text: 'Store its weights in int8.',
                  recipe: { overrides: [{ match: name, precision: 'weights-int8' }] },
                }
              : keepFloat('Keep it in float32.', [operator]),
        },
      ];
    }),
};
