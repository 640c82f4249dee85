import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDecibels,
  formatDeltaPoints,
  formatInteger,
  formatMilliseconds,
  formatPercent,
  formatRatio,
  formatShape,
  formatSignificant,
  formatTimeLeft,
  plural,
  trimZeros,
} from './format.ts';

/** Thin and no-break spaces as plain ones, so that the tables below stay readable. */
const plain = (text: string) => text.replace(/[\u2009\u00a0]/g, ' ');

function table<T>(format: (value: T) => string, rows: readonly (readonly [T, string])[]): void {
  for (const [value, expected] of rows)
    it(`${String(value)} → ${expected}`, () => expect(plain(format(value))).toBe(expected));
}

describe('formatSignificant', () => {
  table(formatSignificant, [
    [0, '0'],
    [1, '1.00'],
    [38.249, '38.2'],
    [999.6, '1 000'],
    [12345, '12 300'],
    [0.0012345, '0.00123'],
    [-4.5, '−4.50'],
    [0.99999, '1.00'],
    [1e-9, '1.00e−9'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ]);
});

describe('formatInteger', () => {
  table(formatInteger, [
    [7, '7'],
    [1797, '1 797'],
    [-1234567, '−1 234 567'],
  ]);
  it('puts thin spaces between thousands', () => expect(formatInteger(1797)).toBe('1\u2009797'));
});

describe('trimZeros', () => {
  table(trimZeros, [
    ['5.00 MB', '5 MB'],
    ['2.50 MB', '2.5 MB'],
    ['100 ms', '100 ms'],
    ['0 B', '0 B'],
    ['10.0 µs', '10 µs'],
  ]);
});

describe('formatBytes', () => {
  table(formatBytes, [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_700, '1.00 MB'],
    [3_560_112, '3.56 MB'],
    [14_231_888, '14.2 MB'],
    [2.5e9, '2.50 GB'],
  ]);
});

describe('formatCount', () => {
  table(formatCount, [
    [65, '65'],
    [9999, '9 999'],
    [3_538_984, '3.54 M'],
    [300_774_272, '301 M'],
  ]);
});

describe('formatMilliseconds', () => {
  table(formatMilliseconds, [
    [0, '0 ms'],
    [0.0351, '35.1 µs'],
    [0.9999, '1.00 ms'],
    [3.614, '3.61 ms'],
    [999.8, '1.00 s'],
    [1243, '1.24 s'],
  ]);
});

describe('formatTimeLeft', () => {
  table(formatTimeLeft, [
    [0, 'almost done'],
    [11.2, '12 s left'],
    [60, '1 min left'],
    [90, '1 min 30 s left'],
    [3700, '1 h 1 min left'],
    [-1, '–'],
  ]);
});

describe('formatRatio', () => {
  table(formatRatio, [
    [0.26, '×0.26'],
    [1.613, '×1.61'],
    [0.0263, '×0.026'],
    [12.34, '×12.3'],
    [1, '×1.00'],
    [Number.NaN, '–'],
  ]);
});

describe('formatPercent', () => {
  table(formatPercent, [
    [1, '100 %'],
    [0.9731, '97.3 %'],
    [0.99999, '>99.9 %'],
    [0.0042, '0.420 %'],
    [0, '0 %'],
  ]);
});

describe('formatDeltaPoints', () => {
  table(formatDeltaPoints, [
    [-0.004, '−0.40 pp'],
    [0.012, '+1.20 pp'],
    [0, '±0 pp'],
    [-0.25, '−25.0 pp'],
  ]);
});

describe('formatDecibels', () => {
  table<number | null>(formatDecibels, [
    [null, 'exact'],
    [38.21, '38.2 dB'],
    [-2.5, '−2.50 dB'],
    [Number.NaN, '–'],
  ]);
});

describe('words', () => {
  it('shapes', () => {
    expect(formatShape([1, 224, 'w', 3])).toBe('1×224×w×3');
    expect(formatShape([])).toBe('scalar');
  });
  it('plurals', () => {
    expect(plain(plural(1, 'operator'))).toBe('1 operator');
    expect(plain(plural(1200, 'operator'))).toBe('1 200 operators');
  });
  const now = Date.parse('2026-03-10T12:00:00Z');
  table(
    (iso: string) => formatAgo(iso, now),
    [
      ['2026-03-10T11:59:40Z', 'just now'],
      ['2026-03-10T11:30:00Z', '30 min ago'],
      ['2026-03-10T02:00:00Z', '10 h ago'],
      ['2026-03-09T11:00:00Z', 'yesterday'],
      ['2026-01-01T11:00:00Z', '2026-01-01'],
      ['never', '–'],
    ],
  );
});
