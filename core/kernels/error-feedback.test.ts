import { describe, expect, it } from 'vitest';
import { cholesky } from './cholesky.ts';
import { ErrorFeedback } from './error-feedback.ts';
import { mulberry32 } from './random.ts';

/** `X · Xᵀ ÷ samples` of correlated inputs: all channels share one part. */
function secondMoments(n: number, samples: number, seed: number): Float64Array {
  const next = mulberry32(seed);
  const matrix = new Float64Array(n * n);
  for (let s = 0; s < samples; s++) {
    const shared = next() * 2;
    const x = Float64Array.from({ length: n }, () => shared + next() - 0.5);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j] += (x[i] * x[j]) / samples;
  }
  return matrix;
}

function outputError(
  hessian: Float64Array,
  weights: Float32Array,
  integers: Int8Array,
  scale: number,
): number {
  const n = weights.length;
  let error = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      error += hessian[i * n + j] * (integers[i] * scale - weights[i]) * (integers[j] * scale - weights[j]);
    }
  }
  return error;
}

describe('cholesky', () => {
  it('factors a matrix into the lower triangle', () => {
    // The textbook example: L = [[2, 0, 0], [6, 1, 0], [−8, 5, 3]].
    const matrix = Float64Array.of(4, 12, -16, 12, 37, -43, -16, -43, 98);
    expect(cholesky(matrix, 3)).toBe(true);
    expect([matrix[0], matrix[3], matrix[4], matrix[6], matrix[7], matrix[8]]).toEqual([2, 6, 1, -8, 5, 3]);
  });

  it('refuses a matrix that is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBe(false);
  });
});

describe('ErrorFeedback', () => {
  it('makes far less error at the output than the nearest integers do', () => {
    const n = 48;
    const hessian = secondMoments(n, 500, 3);
    const feedback = new ErrorFeedback(hessian, n, 1e6);
    const next = mulberry32(7);
    let [nearest, fed] = [0, 0];
    for (let row = 0; row < 20; row++) {
      const weights = Float32Array.from({ length: n }, () => next() * 2 - 1);
      const scale = 1 / 7;
      const integers = new Int8Array(n);
      feedback.round(weights, 0, scale, 7, integers);
      fed += outputError(hessian, weights, integers, scale);
      nearest += outputError(
        hessian,
        weights,
        Int8Array.from(weights, (w) => Math.round(w / scale)),
        scale,
      );
      expect(Math.max(...integers.map(Math.abs))).toBeLessThanOrEqual(7);
    }
    expect(fed).toBeLessThan(nearest / 3);
  });

  it('finds the best of all integers of two columns', () => {
    // Two inputs that are nearly the same: only the sum of the weights counts.
    const hessian = Float64Array.of(1, 0.99, 0.99, 1);
    const integers = new Int8Array(2);
    new ErrorFeedback(hessian, 2, 1e6).round(Float32Array.of(0.4, 0.4), 0, 1, 7, integers);
    expect(integers[0] + integers[1]).toBe(1);
  });

  it.each([
    ['independent inputs', Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)],
    ['inputs that are always zero', new Float64Array(9)],
  ])('gives the nearest integers for %s', (_, hessian) => {
    const integers = new Int8Array(3);
    new ErrorFeedback(hessian, 3, 1e6).round(Float32Array.of(0.26, -0.74, 9), 0, 0.5, 7, integers);
    expect([...integers]).toEqual([1, -1, 7]);
  });

  it('turns weights until no single turn leaves less error', () => {
    const [n, scale, limit] = [24, 1 / 7, 7];
    // Inputs that hang on twelve causes, each with its own part of every cause.
    const draw = mulberry32(5);
    const parts = Array.from({ length: n }, () => Array.from({ length: 12 }, () => draw() * 2 - 1));
    const hessian = new Float64Array(n * n).map((_, at) => {
      const [one, other] = [parts[Math.floor(at / n)], parts[at % n]];
      return one.reduce((sum, part, k) => sum + part * other[k], 0);
    });
    const mean = parts.flat().reduce((sum, part) => sum + part ** 2 / n, 0);
    const feedback = new ErrorFeedback(hessian, n, 1e6);
    // What is made small: a tenth of the mean, and little for few observations, is added to the diagonal.
    const held = hessian.map((x, at) => x + (at % (n + 1) === 0 ? (0.1 + n / 1e6) * mean : 0));
    const next = mulberry32(11);
    let better = 0;
    for (let row = 0; row < 20; row++) {
      const weights = Float32Array.from({ length: n }, () => next() * 2 - 1);
      const integers = new Int8Array(n);
      const rounded = feedback.round(weights, 0, scale, limit, integers);
      expect(rounded).toBeCloseTo(outputError(held, weights, integers, scale), 10);
      feedback.descend(weights, 0, scale, limit, integers);
      const left = outputError(held, weights, integers, scale);
      expect(left).toBeLessThanOrEqual(rounded + 1e-12);
      if (left < rounded - 1e-9) better++;
      for (let i = 0; i < n; i++) {
        for (const turn of [-1, 1]) {
          const turned = integers.slice();
          turned[i] += turn;
          if (Math.abs(turned[i]) > limit) continue;
          expect(outputError(held, weights, turned, scale)).toBeGreaterThan(left - 1e-12);
        }
      }
    }
    expect(better).toBeGreaterThan(2);
  });

  it('solves for what the diagonal is raised to', () => {
    const n = 12;
    const hessian = secondMoments(n, 200, 5);
    const wanted = Float64Array.from({ length: n }, (_, i) => i - 4);
    const raised =
      ((0.1 + n / 1e6) * hessian.reduce((sum, h, i) => sum + (i % (n + 1) === 0 ? h : 0), 0)) / n;
    const rhs = wanted.map((x, i) =>
      wanted.reduce((sum, other, j) => sum + hessian[i * n + j] * other, raised * x),
    );
    new ErrorFeedback(hessian, n, 1e6).solve(rhs);
    rhs.forEach((x, i) => {
      expect(x).toBeCloseTo(wanted[i], 8);
    });
    const nothing = Float64Array.of(1, 2);
    new ErrorFeedback(new Float64Array(4), 2, 10).solve(nothing);
    expect([...nothing]).toEqual([0, 0]);
  });
});
