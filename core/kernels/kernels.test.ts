import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asymmetricParams, integerRange, symmetricScale } from './affine.ts';
import { halfBits, halfBitsToNumber, largestHalf, toHalf, toHalfBalanced } from './half.ts';
import { packInt4, unpackInt4 } from './int4.ts';
import {
  axisView,
  dequantizePerAxis,
  dequantizePerTensor,
  quantizePerAxis,
  quantizePerTensor,
} from './quantize.ts';
import { mulberry32 } from './random.ts';
import { roundHalfAway, roundHalfEven } from './rounding.ts';
import { absMaxOf, absMaxPerAxis, extentOf } from './scan.ts';

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const floats = fc.array(finite, { minLength: 1, maxLength: 200 }).map((values) => Float32Array.from(values));

describe('rounding', () => {
  it.each([
    [0.5, 1, 0],
    [1.5, 2, 2],
    [2.5, 3, 2],
    [-0.5, -1, -0],
    [-1.5, -2, -2],
    [-2.5, -3, -2],
    [0.49999999999999994, 0, 0],
    [-0.49999999999999994, -0, -0],
    [2 ** 51 + 0.5, 2 ** 51 + 1, 2 ** 51],
    [7, 7, 7],
  ])('%d goes to %d away from zero and to %d half even', (x, away, even) => {
    expect(roundHalfAway(x)).toBe(away);
    expect(roundHalfEven(x) + 0).toBe(even + 0);
  });
});

describe('affine parameters', () => {
  // Reference: scale = (max − min) ÷ 255, zero point = −128 − min ÷ scale, rounded (LiteRT 8-bit specification).
  it.each([
    { min: 0, max: 255, scale: 1, zeroPoint: -128 },
    { min: -128, max: 127, scale: 1, zeroPoint: 0 },
    { min: -1, max: 1, scale: Math.fround(2 / 255), zeroPoint: -1 },
    { min: 0, max: 6, scale: Math.fround(6 / 255), zeroPoint: -128 },
    { min: 2, max: 6, scale: Math.fround(6 / 255), zeroPoint: -128 },
    { min: -6, max: -2, scale: Math.fround(6 / 255), zeroPoint: 127 },
    { min: 0, max: 0, scale: 1, zeroPoint: 0 },
  ])('int8 of $min to $max', ({ min, max, scale, zeroPoint }) => {
    expect(asymmetricParams(min, max, 'int8')).toEqual({ scale, zeroPoint });
    expect(asymmetricParams(min, max, 'uint8')).toEqual({ scale, zeroPoint: zeroPoint + 128 });
  });

  it('represents zero exactly and covers the range to half a step', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const { scale, zeroPoint } = asymmetricParams(min, max, 'int8');
        expect(Number.isInteger(zeroPoint)).toBe(true);
        expect(zeroPoint).toBeGreaterThanOrEqual(-128);
        expect(zeroPoint).toBeLessThanOrEqual(127);
        expect(scale).toBe(Math.fround(scale));
        const slack = scale * 0.5001;
        expect(scale * (-128 - zeroPoint)).toBeLessThanOrEqual(Math.min(min, 0) + slack);
        expect(scale * (127 - zeroPoint)).toBeGreaterThanOrEqual(Math.max(max, 0) - slack);
      }),
    );
  });

  it('keeps symmetric scales usable for zeros and denormals', () => {
    expect(symmetricScale(0, 'int8')).toBe(1);
    expect(symmetricScale(1e-44, 'int8')).toBe(2 ** -126);
    expect(symmetricScale(127, 'int8')).toBe(1);
    expect(symmetricScale(3.5, 'int4')).toBe(0.5);
  });
});

describe('quantize', () => {
  it('rounds halves away from zero and clamps', () => {
    const data = Float32Array.of(0.5, -0.5, 1.5, 2.5, -2.5, 300, -300, Number.NaN, Infinity, -Infinity);
    const out = quantizePerTensor(data, 1, 0, integerRange.int8, new Int8Array(data.length));
    expect([...out]).toEqual([1, -1, 2, 3, -3, 127, -128, 0, 127, -128]);
  });

  it('comes back within half a step inside of the range', () => {
    fc.assert(
      fc.property(floats, (data) => {
        const { min, max } = extentOf(data);
        const { scale, zeroPoint } = asymmetricParams(min, max, 'int8');
        const q = quantizePerTensor(data, scale, zeroPoint, integerRange.int8, new Int8Array(data.length));
        const back = dequantizePerTensor(q, scale, zeroPoint);
        // The nudged zero point may cut half a step off one end, on top of the half step of rounding.
        for (let i = 0; i < data.length; i++)
          expect(Math.abs(back[i] - data[i])).toBeLessThanOrEqual(scale * 1.0001);
      }),
    );
  });

  it('is monotonic', () => {
    fc.assert(
      fc.property(floats, (data) => {
        const sorted = data.toSorted();
        const q = quantizePerTensor(sorted, 0.37, 5, integerRange.int8, new Int8Array(data.length));
        for (let i = 1; i < q.length; i++) expect(q[i]).toBeGreaterThanOrEqual(q[i - 1]);
      }),
    );
  });

  it('is per channel what it is per tensor on each slice', () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
    );
    fc.assert(
      fc.property(shape, fc.integer({ min: 0, max: 2 }), fc.infiniteStream(finite), (dims, axis, stream) => {
        const data = Float32Array.from({ length: dims[0] * dims[1] * dims[2] }, () => stream.next().value);
        const view = axisView(dims, axis);
        const absMax = absMaxPerAxis(data, view);
        const scales = Array.from(absMax, (x) => symmetricScale(x, 'int8'));
        const zeroPoints = scales.map((_, c) => c - 1);
        const q = quantizePerAxis(
          data,
          view,
          scales,
          zeroPoints,
          integerRange.int8,
          new Int8Array(data.length),
        );
        const back = dequantizePerAxis(q, view, scales, zeroPoints);
        for (let c = 0; c < view.channels; c++) {
          const index = [...data.keys()].filter((i) => Math.floor(i / view.inner) % view.channels === c);
          const slice = Float32Array.from(index, (i) => data[i]);
          expect(absMax[c]).toBe(absMaxOf(slice));
          const alone = quantizePerTensor(
            slice,
            scales[c],
            zeroPoints[c],
            integerRange.int8,
            new Int8Array(slice.length),
          );
          expect(index.map((i) => q[i])).toEqual([...alone]);
          expect(index.map((i) => back[i])).toEqual([
            ...dequantizePerTensor(alone, scales[c], zeroPoints[c]),
          ]);
        }
      }),
    );
  });
});

describe('balanced half', () => {
  const arbitraryRow = fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 8, maxLength: 300 });

  it('gives each element one of its two neighbours, and rows whose errors sum to less', () => {
    fc.assert(
      fc.property(arbitraryRow, (row) => {
        const data = Float32Array.from([...row, ...row]);
        const plain = toHalf(data).bits;
        const { bits } = toHalfBalanced(data, 2);
        const errorOf = (all: Uint16Array) =>
          row.reduce((sum, x, i) => sum + halfBitsToNumber(all[i]) - Math.fround(x), 0);
        expect(Math.abs(errorOf(bits))).toBeLessThanOrEqual(Math.abs(errorOf(plain)) + 1e-12);
        for (const [i, half] of bits.entries()) {
          expect(Math.abs((half & 0x7fff) - (plain[i] & 0x7fff))).toBeLessThanOrEqual(1);
        }
        expect(bits.subarray(0, row.length)).toEqual(bits.subarray(row.length));
      }),
    );
  });

  it('removes the mean error of filters of ordinary weights', () => {
    const next = mulberry32(7);
    const [filters, length] = [8, 576];
    const data = Float32Array.from({ length: filters * length }, () => next() - 0.4);
    const meanError = ({ bits }: { bits: Uint16Array }) => {
      const sums = new Float64Array(filters);
      for (const [i, x] of data.entries()) sums[Math.floor(i / length)] += halfBitsToNumber(bits[i]) - x;
      return sums.reduce((total, sum) => total + Math.abs(sum), 0) / data.length;
    };
    expect(meanError(toHalfBalanced(data, filters))).toBeLessThan(meanError(toHalf(data)) / 10);
  });
});

describe('half', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.0001 * 2 ** -25, 0x0001],
    [1.5 * 2 ** -24, 0x0002],
    [2.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1023.5 * 2 ** -24, 0x0400],
    [Infinity, 0x7c00],
    [0.1, 0x2e66],
    [1 / 3, 0x3555],
  ])('%d is %i', (x, bits) => {
    expect(halfBits(x)).toBe(bits);
  });

  it('brings every half back to itself', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const x = halfBitsToNumber(bits);
      if (Number.isNaN(x)) expect(halfBits(x) & 0x7c00).toBe(0x7c00);
      else expect(halfBits(x)).toBe(bits);
    }
  });

  it('picks the nearest half, even in a tie', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7bfe }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bits, t) => {
          const low = halfBitsToNumber(bits);
          const high = halfBitsToNumber(bits + 1);
          const x = Math.fround(low + (high - low) * t);
          const middle = (low + high) / 2;
          const expected = x < middle ? bits : x > middle ? bits + 1 : bits + (bits & 1);
          expect(halfBits(x)).toBe(expected);
          expect(halfBits(-x)).toBe(expected | 0x8000);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('holds what is too large at the largest number and counts it', () => {
    const { bits, clamped, vanished } = toHalf(Float32Array.of(1e6, -1e6, 65504, Infinity, 1e-9, 0));
    expect([...bits].map(halfBitsToNumber)).toEqual([largestHalf, -largestHalf, largestHalf, Infinity, 0, 0]);
    expect(clamped).toBe(2);
    expect(vanished).toBe(1);
  });
});

describe('int4', () => {
  it('puts the first of two in the low nibble', () => {
    expect([...packInt4(Int8Array.of(1, -1, 7))]).toEqual([0xf1, 0x07]);
  });

  it('round trips', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 7 })), (values) => {
        expect([...unpackInt4(packInt4(Int8Array.from(values)), values.length)]).toEqual(values);
      }),
    );
  });

  it('refuses too few bytes', () => {
    expect(() => unpackInt4(new Uint8Array(1), 3)).toThrow(RangeError);
  });
});
