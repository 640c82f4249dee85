import { type FindingKind, goodDb, lossOf, qualityOf, write, writePercent } from './finding.ts';

/** From three unused bits on. */
const mostUsed = 1 / 8;
const leastLossDb = 2;

/** Almost all elements lie in a small part of the range; a few far ones take the rest of the steps. */
export const deadRange: FindingKind = {
  id: 'dead-range',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      const { activation, name, op } = operator;
      const quantized = activation?.quantized;
      if (!activation || !quantized || quantized.dtype === 'int16' || operator.fixedScale) return [];
      const [low, high] = activation.bulk;
      const used = (high - low) / (quantized.high - quantized.low);
      if (
        used >= mostUsed ||
        used <= 0 ||
        lossOf(facts, operator).db < leastLossDb ||
        qualityOf(operator) > goodDb
      )
        return [];
      const keepsAll = facts.recipe.calibration === 'minmax' || facts.recipe.calibration === 'moving-average';
      return [
        {
          severity: 'warning',
          title: 'Most of the range is empty',
          text: `99.9 % of its elements lie between ${write(low)} and ${write(high)}: ${writePercent(used)} of the range from ${write(quantized.low)} to ${write(quantized.high)}, so about ${Math.max(1, Math.round(used * 256))} steps for all of them.`,
          node: name,
          op,
          weight: -20 * Math.log10(used),
          trial: keepsAll
            ? {
                text: 'Calibrate by the least error, which leaves out elements that cost more than they are worth.',
                recipe: { calibration: 'mse' },
              }
            : undefined,
        },
      ];
    }),
};
