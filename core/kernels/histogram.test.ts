import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToHistogram, createHistogram, type Histogram, mergeHistogram } from './histogram.ts';
import { mulberry32 } from './random.ts';
import { entropyRange, fullRange, leastSquaresRange, percentileRange } from './range-search.ts';
import { leastSquaresScales } from './scale-search.ts';
import { absMaxPerAxis } from './scan.ts';

const number = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }),
  fc.constantFrom(0, 1, -1, 2, -2, 1e-40),
);
const chunks = fc.array(
  fc.array(number, { maxLength: 40 }).map((values) => Float32Array.from(values)),
  {
    minLength: 1,
    maxLength: 6,
  },
);

function histogramOf(parts: readonly Float32Array[], bins = 16): Histogram {
  const histogram = createHistogram(bins);
  for (const part of parts) addToHistogram(histogram, part);
  return histogram;
}

/** A normal sample by Box and Muller. */
function normal(length: number, seed = 1): Float32Array {
  const random = mulberry32(seed);
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

describe('histogram', () => {
  it('is the same in any order of adding and merging', () => {
    fc.assert(
      fc.property(chunks, (parts) => {
        const atOnce = histogramOf([Float32Array.from(parts.flatMap((part) => [...part]))]);
        expect(histogramOf(parts)).toEqual(atOnce);
        expect(histogramOf(parts.toReversed())).toEqual(atOnce);
        const merged = createHistogram(16);
        for (const part of parts.toReversed()) mergeHistogram(merged, histogramOf([part]));
        expect(merged).toEqual(atOnce);
      }),
    );
  });

  it('counts every finite element once', () => {
    fc.assert(
      fc.property(chunks, (parts) => {
        const histogram = histogramOf(parts);
        const elements = parts.reduce((sum, part) => sum + part.length, 0);
        expect(histogram.total).toBe(elements);
        expect(histogram.counts.reduce((sum, count) => sum + count, histogram.zeros)).toBe(elements);
      }),
    );
  });

  it('puts an element into the bin that covers it', () => {
    const histogram = histogramOf([Float32Array.of(3.9, -3.9, 0.5, -0.25)], 8);
    expect(histogram.width).toBe(0.5);
    const filled = [...histogram.counts.keys()].filter((i) => histogram.counts[i] > 0);
    expect(filled.map((i) => (i - 8) * 0.5)).toEqual([-4, -0.5, 0.5, 3.5]);
  });

  it('passes over what is not finite', () => {
    const histogram = histogramOf([Float32Array.of(1, Number.NaN, Infinity, -Infinity)]);
    expect(histogram.total).toBe(1);
    expect([histogram.min, histogram.max]).toEqual([1, 1]);
  });

  it('refuses to merge other resolutions', () => {
    expect(() => mergeHistogram(createHistogram(8), createHistogram(16))).toThrow(RangeError);
  });
});

describe('range search', () => {
  const spread = histogramOf([normal(100_000)], 2048);
  const outlier = histogramOf([normal(100_000), Float32Array.of(50)], 2048);

  it('starts from the range seen, with zero in it', () => {
    expect(fullRange(histogramOf([Float32Array.of(2, 3)]))).toEqual({ min: 0, max: 3 });
    expect(fullRange(createHistogram())).toEqual({ min: 0, max: 0 });
  });

  it('cuts an outlier by percentile', () => {
    const { min, max } = percentileRange(outlier, 0.9999);
    // 50 per million on either side lie beyond 3.89 standard deviations.
    expect(max).toBeGreaterThan(3.6);
    expect(max).toBeLessThan(4.3);
    expect(min).toBeLessThan(-3.6);
  });

  it('keeps a distribution without outliers by least squares, and cuts one by the trade of noise and clipping', () => {
    const uniform = histogramOf([Float32Array.from({ length: 10_000 }, (_, i) => i / 10_000)], 2048);
    expect(leastSquaresRange(uniform, 255).max).toBeGreaterThan(0.98);
    expect(leastSquaresRange(outlier, 255).max).toBeLessThan(48);
    // Optimal clipping of a normal distribution at 4 bits lies near 2.5 standard deviations (Banner et al. 2018).
    const { min, max } = leastSquaresRange(spread, 15);
    expect((max - min) / 2).toBeGreaterThan(2.2);
    expect((max - min) / 2).toBeLessThan(2.9);
  });

  it('finds no better range by a finer search in brute force', () => {
    const data = normal(20_000, 7);
    data[0] = 9;
    const found = leastSquaresRange(histogramOf([data], 2048), 255);
    const errorOf = (min: number, max: number) => {
      const step = (max - min) / 255;
      let error = 0;
      for (const x of data) {
        const clipped = Math.min(Math.max(x, min), max);
        const q = Math.round(clipped / step) * step;
        error += (x - q) ** 2;
      }
      return error;
    };
    let best = Number.POSITIVE_INFINITY;
    for (let max = 3; max <= 9; max += 0.1) best = Math.min(best, errorOf(found.min, max));
    expect(errorOf(found.min, found.max)).toBeLessThan(best * 1.05);
  });

  it('cuts an outlier by entropy', () => {
    expect(entropyRange(outlier, 128).max).toBeLessThan(20);
    expect(entropyRange(histogramOf([Float32Array.of(0, 1)]), 128)).toEqual({ min: 0, max: 1 });
  });
});

describe('weight scales', () => {
  it('are never worse than the largest magnitude, and clip at 4 bits', () => {
    const data = normal(4 * 500, 3);
    const view = { outer: 1, channels: 4, inner: 500 };
    const absMax = absMaxPerAxis(data, view);
    for (const limit of [127, 7] as const) {
      const scales = leastSquaresScales(data, view, absMax, limit);
      for (let c = 0; c < 4; c++) {
        const errorAt = (scale: number) => {
          let error = 0;
          for (const x of data.subarray(c * 500, (c + 1) * 500)) {
            error += (x - Math.max(-limit, Math.min(limit, Math.round(x / scale))) * scale) ** 2;
          }
          return error;
        };
        expect(errorAt(scales[c])).toBeLessThanOrEqual(errorAt(Math.fround(absMax[c] / limit)));
        if (limit === 7) expect(scales[c]).toBeLessThan((absMax[c] / limit) * 0.95);
      }
    }
  });
});
