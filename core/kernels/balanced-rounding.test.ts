import { describe, expect, it } from 'vitest';
import { balanceRow } from './balanced-rounding.ts';
import { mulberry32 } from './random.ts';

describe('balanceRow', () => {
  it.each([1, 2, 3, 4, 5])('leaves an error sum of at most half a step (row %i)', (seed) => {
    const next = mulberry32(seed);
    const scale = 0.1;
    const weights = Float32Array.from({ length: 64 }, () => next() * 1.2 - 0.6);
    const nearest = Int8Array.from(weights, (w) => Math.round(w / scale));
    const integers = nearest.slice();
    balanceRow(weights, integers, 0, 64, scale, 7);
    const sum = integers.reduce((total, q, i) => total + q - weights[i] / scale, 0);
    expect(Math.abs(sum)).toBeLessThanOrEqual(0.5 + 1e-6);
    for (const [i, q] of integers.entries()) {
      expect(Math.abs(q - weights[i] / scale)).toBeLessThan(1);
      expect(Math.abs(q)).toBeLessThanOrEqual(7);
    }
  });

  it('turns the elements nearest to a tie', () => {
    const weights = Float32Array.of(0.45, 0.4, 0.35, 0.05);
    const integers = Int8Array.of(0, 0, 0, 0);
    balanceRow(weights, integers, 0, 4, 1, 7);
    expect([...integers]).toEqual([1, 0, 0, 0]);
  });

  it('leaves other rows alone', () => {
    const weights = Float32Array.of(0.4, 0.4, 0.4, 0.4);
    const integers = Int8Array.of(0, 0, 0, 0);
    balanceRow(weights, integers, 2, 4, 1, 7);
    expect([...integers]).toEqual([0, 0, 1, 0]);
  });
});
