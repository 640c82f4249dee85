import { describe, expect, it } from 'vitest';
import { compareTimes, describeRatio } from './ratio.ts';

const times = (centre: number): number[] =>
  Array.from({ length: 101 }, (_, i) => centre * (1 + (i - 50) / 1000));

describe('compareTimes', () => {
  it('holds the true ratio between its bounds', () => {
    const estimate = compareTimes(times(5.8), times(3.6));
    expect(estimate?.ratio).toBeCloseTo(5.8 / 3.6, 10);
    expect(estimate?.low).toBeLessThan(5.8 / 3.6);
    expect(estimate?.high).toBeGreaterThan(5.8 / 3.6);
  });

  it('is the same every time', () =>
    expect(compareTimes(times(2), times(3))).toEqual(compareTimes(times(2), times(3))));
  it('says nothing from a handful of runs', () => expect(compareTimes([1, 2, 3], times(1))).toBeUndefined());
});

describe('describeRatio', () => {
  it.each([
    [
      { ratio: 1.61, low: 1.55, high: 1.68 },
      'int8 is 1.61× faster than float32, 95 % between 1.55 and 1.68.',
    ],
    [{ ratio: 0.5, low: 0.4, high: 0.625 }, 'float32 is 2.00× faster than int8, 95 % between 1.60 and 2.50.'],
    [
      { ratio: 1.01, low: 0.97, high: 1.05 },
      'No clear difference between float32 and int8: the ratio is 1.01, 95 % between 0.97 and 1.05.',
    ],
  ])('%o', (estimate, sentence) => expect(describeRatio('float32', 'int8', estimate)).toBe(sentence));
});
