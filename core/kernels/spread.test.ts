import { describe, expect, it } from 'vitest';
import { spread, spreadIndexes } from './spread.ts';

describe('spread', () => {
  it('takes evenly, from the first on', () => {
    expect(spreadIndexes(10, 4)).toEqual([0, 2, 5, 7]);
    expect(spread(['a', 'b', 'c', 'd'], 2)).toEqual(['a', 'c']);
  });

  it('takes all where no more are there than wanted', () => {
    expect(spreadIndexes(3, 10)).toEqual([0, 1, 2]);
    expect(spreadIndexes(3)).toEqual([0, 1, 2]);
    expect(spreadIndexes(0, 5)).toEqual([]);
  });
});
