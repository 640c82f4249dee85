import { type FindingKind, type Found, writePercent } from './finding.ts';

/** Fewer than this seldom show the whole range of a network. */
const fewSamples = 32;
const goodCount = 200;
/** Share of an operator's elements beyond its range, and share of operators that have it, from which on it matters. */
const clippedShare = 1e-3;
const operatorShare = 0.1;

/** Ranges that other samples leave, or that too few samples were asked for. */
export const tooFewSamples: FindingKind = {
  id: 'too-few-samples',
  find({ operators, recipe, samples }): Found[] {
    const used = Math.min(recipe.samples, samples);
    const integers = operators.flatMap(({ activation, fixedScale }) =>
      activation?.quantized && !fixedScale ? [activation.quantized] : [],
    );
    if (integers.length === 0 || samples === 0) return [];
    // Observers other than these clip on purpose.
    const keepsAll = recipe.calibration === 'minmax';
    const clipped = integers.filter((one) => one.clippedShare >= clippedShare);
    const leaves = keepsAll && clipped.length >= operatorShare * integers.length;
    if (used >= fewSamples && !leaves) return [];
    const more = Math.min(samples, Math.max(goodCount, 2 * used));
    const worst = Math.max(0, ...clipped.map((one) => one.clippedShare));
    const seen =
      clipped.length > 0
        ? ` Other samples leave the range of ${clipped.length} of ${integers.length} operators (up to ${writePercent(worst)} of the elements).`
        : '';
    const there = more > used ? `${samples} are attached.` : 'No more are attached: add some.';
    return [
      {
        severity: leaves ? 'warning' : 'info',
        title: 'Too few samples for the ranges',
        text: `Ranges come from ${used} ${used === 1 ? 'sample' : 'samples'}.${seen} ${there}`,
        weight: leaves ? 6 + 1000 * worst : 3,
        trial:
          more > used ? { text: `Calibrate with ${more} samples.`, recipe: { samples: more } } : undefined,
      },
    ];
  },
};
