import { type FindingKind, goodDb, lossOf, qualityOf, write, writePercent } from './finding.ts';

const leastShare = 5e-3;
const leastLossDb = 2;

/** A calibration that cuts ranges cuts off more of one than pays. */
export const saturation: FindingKind = {
  id: 'saturation',
  find: (facts) =>
    facts.recipe.calibration === 'minmax'
      ? []
      : facts.operators.flatMap((operator) => {
          const { activation, name, op } = operator;
          const quantized = activation?.quantized;
          if (!activation || !quantized || operator.fixedScale || quantized.clippedShare < leastShare)
            return [];
          const loss = lossOf(facts, operator);
          if (loss.db < leastLossDb || qualityOf(operator) > goodDb) return [];
          return [
            {
              severity: 'warning',
              title: 'Cut off',
              text: `${writePercent(quantized.clippedShare)} of its elements lie beyond ${write(quantized.low)} to ${write(quantized.high)} and are cut; it reaches from ${write(activation.min)} to ${write(activation.max)}.`,
              node: name,
              op,
              weight: loss.db,
              trial: {
                text: 'Calibrate by the smallest and largest element, which cuts nothing.',
                recipe: { calibration: 'minmax' },
              },
            },
          ];
        }),
};
