import { describe, expect, it } from 'vitest';
import { drawSamples } from './draw-samples.ts';

describe('drawing samples', () => {
  it('takes all when there are no more than wanted', () => {
    expect(drawSamples(3, 10, 0)).toEqual([0, 1, 2]);
  });

  it('is settled by the seed, without repeats, in ascending order', () => {
    const chosen = drawSamples(1000, 50, 7);
    expect(chosen).toEqual(drawSamples(1000, 50, 7));
    expect(chosen).not.toEqual(drawSamples(1000, 50, 8));
    expect(new Set(chosen).size).toBe(50);
    expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
  });

  it('takes as many of each class as there are', () => {
    const labels = Int32Array.from({ length: 100 }, (_, i) => (i < 90 ? 0 : i < 97 ? 1 : 2));
    const chosen = drawSamples(100, 30, 1, labels);
    const counts = [0, 1, 2].map((label) => chosen.filter((index) => labels[index] === label).length);
    expect(counts).toEqual([20, 7, 3]);
  });
});
