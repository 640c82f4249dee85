import { expect, it } from 'vitest';
import { rankOperators } from './per-op-bars.tsx';

const op = (name: string, ms: number) => ({ name, op: 'CONV_2D', ms, calls: 1, share: ms / 10 });

it('ranks operators, sums the small ones and counts shares up to one', () => {
  const bars = rankOperators([op('a', 1), op('b', 6), op('c', 2), op('d', 1)], 2);
  expect(bars.map(({ name, ms }) => [name, ms])).toEqual([
    ['b', 6],
    ['c', 2],
    ['2 others', 2],
  ]);
  expect(bars.at(-1)?.cumulative).toBeCloseTo(1);
});
