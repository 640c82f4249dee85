import { describe, expect, it } from 'vitest';
import { addToHistogram, createHistogram } from '../kernels/histogram.ts';
import { ActivationRecord } from './activation-record.ts';
import { quantileOf, viewHistograms } from './histogram-view.ts';

const histogramOf = (values: Float32Array) => {
  const histogram = createHistogram(512);
  addToHistogram(histogram, values);
  return histogram;
};

describe('ActivationRecord', () => {
  it('tells range, clipping and channels', () => {
    // int8 of scale 0.5 and zero point −100: from −14 to 113.5.
    const record = new ActivationRecord({
      dtype: 'int8',
      quant: { scales: [0.5], zeroPoints: [-100] },
    });
    // Two channels of three positions each, channels second.
    const wanted = Float32Array.of(1, -2, 3, 100, 120, -15);
    record.add(wanted, Float32Array.of(1, -2, 3, 100, 113.5, -14), [1, 2, 3], 1);
    const view = record.view()!;
    expect(view).toMatchObject({ min: -15, max: 120 });
    expect(view.quantized).toEqual({ dtype: 'int8', low: -14, high: 113.5, step: 0.5, clippedShare: 2 / 6 });
    expect(view.channels).toEqual({ count: 2, largest: 120, largestAt: 1, median: 120 });
    expect(view.source.counts.length).toBe(view.file.counts.length);
    const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
    expect([sum(view.source.counts), sum(view.file.counts)]).toEqual([6, 6]);
  });

  it('reads channels that come last', () => {
    const record = new ActivationRecord({ dtype: 'float32' });
    record.add(Float32Array.of(1, 10, -2, 20, 3, -30), new Float32Array(6), [3, 2], 1);
    expect(record.view()!.channels).toMatchObject({ largest: 30, largestAt: 1 });
    expect(record.view()!.quantized).toBeUndefined();
  });

  it('is nothing without a finite element', () => {
    const record = new ActivationRecord({ dtype: 'float32' });
    record.add(Float32Array.of(Number.NaN), Float32Array.of(0), [1], undefined);
    expect(record.view()).toBeUndefined();
  });
});

describe('histograms for drawing', () => {
  it('hold every element in at most so many bins, between the ends', () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => Math.sin(i) * 3 + 1);
    const [view] = viewHistograms([histogramOf(values)], 64);
    expect(view.counts.length).toBeLessThanOrEqual(64);
    expect(view.counts.length).toBeGreaterThan(32);
    expect(view.counts.reduce((a, b) => a + b, 0)).toBe(10_000);
    expect(view.start).toBeLessThanOrEqual(-2);
    expect(view.start + view.counts.length * view.width).toBeGreaterThanOrEqual(4);
    const last = view.start + (view.counts.length - 1) * view.width;
    expect(view.counts.at(-1)).toBe(values.filter((value) => value >= last).length);
  });

  it('share their bins', () => {
    const [wide, narrow] = viewHistograms(
      [histogramOf(Float32Array.of(-100, 100)), histogramOf(Float32Array.of(0.5, 0.5, 0))],
      16,
    );
    expect([narrow.start, narrow.width]).toEqual([wide.start, wide.width]);
    expect(narrow.counts[Math.floor((0.5 - wide.start) / wide.width)]).toBe(3);
  });

  it.each([
    [0.0005, 0],
    [0.5, 5000],
    [0.9995, 9995],
  ])('quantile %d', (share, expected) => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => i);
    expect(Math.abs(quantileOf(histogramOf(values), share) - expected)).toBeLessThanOrEqual(32);
  });
});
