import { expect, it } from 'vitest';
import { roofAt, roofPoints } from './roof-points.ts';

const op = { name: 'a', op: 'CONV_2D', ms: 2, calls: 1, share: 1 };

it('places operators by their operations for each byte', () => {
  const [point, ...others] = roofPoints([
    { ...op, macs: 10e6, bytes: 1e6 },
    { ...op, macs: 0, bytes: 1e6 },
    { ...op, macs: 5 },
    { ...op, macs: 5, bytes: 5, ms: 0 },
  ]);
  expect(others).toEqual([]);
  expect(point).toMatchObject({ intensity: 20, gflopPerS: 10 });
});

it('has a slope and a ceiling', () => {
  expect(roofAt({ gbPerS: 8 }, 2, 100)).toBe(16);
  expect(roofAt({ gbPerS: 8 }, 50, 100)).toBe(100);
});
