import { expect, it } from 'vitest';
import { erf } from './erf.ts';

/** Abramowitz and Stegun, table 7.1, and tails from the DLMF. */
const table = [
  [0, 0],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
  [3, 0.9999779095030014],
  [3.5, 0.9999992569016276],
  [5, 0.9999999999984626],
  [7, 1],
];

it.each(table)('erf(%f)', (x, y) => {
  expect(erf(x)).toBeCloseTo(y, 12);
  expect(erf(-x)).toBeCloseTo(-y, 12);
});
