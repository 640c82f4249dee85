import type { ComparisonView } from '../../../core/contract/views.ts';

export interface RatioEstimate {
  /** Median of the first ÷ median of the second. */
  ratio: number;
  /** 95 % interval. */
  low: number;
  high: number;
}

const resamples = 500;

function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A small seeded generator (mulberry32): the same runs give the same interval. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * How many times longer the first takes than the second, with a 95 % percentile bootstrap interval of the ratio of
 * medians (Efron and Tibshirani 1993, chapter 13). Undefined with fewer than five runs of either.
 */
export function compareTimes(first: readonly number[], second: readonly number[]): RatioEstimate | undefined {
  if (first.length < 5 || second.length < 5) return undefined;
  const [a, b] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()];
  const random = createRandom(1);
  const resample = (times: Float64Array): number => {
    const drawn = new Float64Array(times.length);
    for (let i = 0; i < drawn.length; i += 1) drawn[i] = times[Math.floor(random() * times.length)];
    return median(drawn.sort());
  };
  const ratios = new Float64Array(resamples);
  for (let i = 0; i < resamples; i += 1) ratios[i] = resample(a) / resample(b);
  ratios.sort();
  return {
    ratio: median(a) / median(b),
    low: ratios[Math.floor(resamples * 0.025)],
    high: ratios[Math.ceil(resamples * 0.975) - 1],
  };
}

/**
 * The ratio in words: "int8 is 1.61× faster than float32, 95 % between 1.55 and 1.68."
 * @param verdict of a measurement that has its own, stricter word on whether there is a difference
 */
export function describeRatio(
  firstName: string,
  secondName: string,
  { ratio, low, high }: RatioEstimate,
  verdict?: ComparisonView['verdict'],
): string {
  const write = (value: number): string => (value < 9.995 ? value.toFixed(2) : value.toPrecision(3));
  if (verdict === 'unclear' || (low <= 1 && high >= 1))
    return `No clear difference between ${firstName} and ${secondName}: the ratio is ${write(ratio)}, 95 % between ${write(low)} and ${write(high)}.`;
  if (ratio > 1)
    return `${secondName} is ${write(ratio)}× faster than ${firstName}, 95 % between ${write(low)} and ${write(high)}.`;
  return `${firstName} is ${write(1 / ratio)}× faster than ${secondName}, 95 % between ${write(1 / high)} and ${write(1 / low)}.`;
}
