import { type FindingKind, goodDb, keepFloat, qualityOf, readersOf, write } from './finding.ts';

/** From so many times the middle channel on, that one keeps less than four of the eight bits. */
const leastRatio = 16;

/** One channel of a result reaches far beyond the others, which share its scale. */
export const outlierChannel: FindingKind = {
  id: 'outlier-channel',
  find: (facts) =>
    facts.operators.flatMap((operator) => {
      const { activation, name, op } = operator;
      const { channels, quantized } = activation ?? {};
      if (!channels || !quantized || quantized.dtype === 'int16' || channels.median === 0) return [];
      const ratio = channels.largest / channels.median;
      if (ratio < leastRatio || qualityOf(operator) > goodDb) return [];
      const steps = Math.max(1, Math.round(channels.median / quantized.step));
      return [
        {
          severity: 'warning',
          title: 'One channel takes the scale of all',
          text: `Channel ${channels.largestAt} of ${channels.count} reaches ${write(channels.largest)}; half of them stay below ${write(channels.median)}. With one scale for all, those have about ${steps} steps.`,
          node: name,
          op,
          weight: 20 * Math.log10(ratio / leastRatio) + goodDb - qualityOf(operator),
          trial: keepFloat('Keep the operator and those that read it in float32.', [
            operator,
            ...readersOf(facts, name),
          ]),
        },
      ];
    }),
};
