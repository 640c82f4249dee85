import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, decibels, ErrorSums, median, quantile } from './metrics.ts';

const floats = (length: number) =>
  fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: length, maxLength: length });
const pairs = fc.integer({ min: 1, max: 200 }).chain((length) => fc.tuple(floats(length), floats(length)));

function sumsOf(reference: ArrayLike<number>, output: ArrayLike<number>): ErrorSums {
  const sums = new ErrorSums();
  sums.add(Float32Array.from(reference), Float32Array.from(output));
  return sums;
}

describe('ErrorSums', () => {
  it('is 10·log10(Σ ref² ÷ Σ (ref − out)²)', () => {
    fc.assert(
      fc.property(pairs, ([reference, output]) => {
        const signal = reference.reduce((sum, value) => sum + value * value, 0);
        const noise = reference.reduce((sum, value, i) => sum + (value - output[i]) ** 2, 0);
        const sums = sumsOf(reference, output);
        if (noise === 0) expect(sums.sqnrDb()).toBeNull();
        else {
          const db = 10 * Math.log10(signal / noise);
          expect(sums.sqnrDb()).toBeCloseTo(Math.max(-300, Math.min(300, db)), 6);
        }
      }),
    );
  });

  it('does not depend on how values were split', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), ([reference, output], cut) => {
        const at = cut % (reference.length + 1);
        const whole = sumsOf(reference, output);
        const first = sumsOf(reference.slice(0, at), output.slice(0, at));
        first.merge(sumsOf(reference.slice(at), output.slice(at)));
        expect(first.count).toBe(whole.count);
        expect(first.maxAbsError).toBe(whole.maxAbsError);
        expect(first.noise).toBeCloseTo(whole.noise, 3);
        expect(first.cosine()).toBeCloseTo(whole.cosine(), 9);
      }),
    );
  });

  it('does not change when both sides are scaled, and loses 20 dB when the error grows tenfold', () => {
    const reference = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const error = Float32Array.from({ length: 64 }, (_, i) => 0.001 * Math.cos(i * 7));
    const db = sumsOf(
      reference,
      reference.map((value, i) => value + error[i]),
    ).sqnrDb()!;
    const scaled = sumsOf(
      reference.map((value) => value * 8),
      reference.map((value, i) => (value + error[i]) * 8),
    ).sqnrDb()!;
    const worse = sumsOf(
      reference,
      reference.map((value, i) => value + 10 * error[i]),
    ).sqnrDb()!;
    expect(scaled).toBeCloseTo(db, 3);
    expect(worse).toBeCloseTo(db - 20, 2);
  });

  it.each([
    { name: 'NaN output', reference: [1, 2], output: [Number.NaN, 2], db: -300, worst: Infinity },
    { name: 'NaN on both sides', reference: [Number.NaN, 2], output: [Number.NaN, 2], db: null, worst: 0 },
    { name: 'infinity on both sides', reference: [Infinity, 2], output: [Infinity, 1], db: 6.0206, worst: 1 },
    {
      name: 'infinities of two signs',
      reference: [Infinity, 2],
      output: [-Infinity, 2],
      db: -300,
      worst: Infinity,
    },
    { name: 'no signal', reference: [0, 0], output: [0, 1], db: -300, worst: 1 },
    { name: 'nothing', reference: [0], output: [0], db: null, worst: 0 },
  ])('handles $name', ({ reference, output, db, worst }) => {
    const sums = sumsOf(reference, output);
    if (db === null) expect(sums.sqnrDb()).toBeNull();
    else expect(sums.sqnrDb()).toBeCloseTo(db, 3);
    expect(sums.maxAbsError).toBe(worst);
  });

  it('gives the cosine of numpy', () => {
    expect(sumsOf([1, 2, 3], [2, 1, 3]).cosine()).toBeCloseTo(13 / 14, 12);
    expect(sumsOf([1, 2], [-1, -2]).cosine()).toBeCloseTo(-1, 12);
    expect(sumsOf([0, 0], [0, 0]).cosine()).toBe(1);
    expect(sumsOf([0, 0], [1, 0]).cosine()).toBe(0);
  });

  it('refuses lengths that differ', () => {
    expect(() => sumsOf([1], [1, 2])).toThrow('1 reference values cannot be compared with 2');
  });
});

describe('order statistics', () => {
  it.each([
    { p: 0, value: 1 },
    { p: 0.1, value: 1.3 },
    { p: 0.5, value: 2.5 },
    { p: 0.9, value: 7.9 },
    { p: 1, value: 10 },
  ])('quantile $p of 1, 2, 3, 10 is $value as in numpy', ({ p, value }) => {
    expect(quantile([1, 2, 3, 10], p)).toBeCloseTo(value, 12);
  });

  it('takes the median of unsorted values without touching them', () => {
    const values = [5, 1, 3];
    expect(median(values)).toBe(3);
    expect(values).toEqual([5, 1, 3]);
  });

  it('finds the first largest value and skips NaN', () => {
    expect(argmax([1, 3, 3, 2])).toBe(1);
    expect(argmax([Number.NaN, -1, -2])).toBe(1);
    expect(argmax([-5])).toBe(0);
  });

  it('keeps decibels finite', () => {
    expect(decibels(0, 1)).toBe(-300);
    expect(decibels(1, Infinity)).toBe(-300);
    expect(decibels(Infinity, Infinity)).toBe(-300);
    expect(decibels(0, 0)).toBeNull();
  });
});
