import { describe, expect, it } from 'vitest';
import type { CompareRow } from '../../state/compare-rows.ts';
import { niceStep, ticksBetween } from '../../ui/ticks.ts';
import { placeLabels } from './place-labels.ts';
import { scatterScale } from './scatter-scale.ts';

const row = {} as CompareRow;
const point = (cost: number, gain: number) => ({ row, cost, gain });

describe('scales', () => {
  it.each([
    [10, 5, 2],
    [1, 5, 0.2],
    [14.2e6, 5, 5e6],
    [0, 5, 1],
  ])('a step for %d in %d', (span, count, step) => expect(niceStep(span, count)).toBe(step));

  it('ticks stay inside', () => expect(ticksBetween(0, 15.9, 5)).toEqual([0, 5, 10, 15]));

  it('gives what has no error a lane above all others', () => {
    const { y, exactAt } = scatterScale(
      [point(10, Number.POSITIVE_INFINITY), point(5, 60), point(3, 35)],
      'quality',
    );
    expect(exactAt).toBeGreaterThan(60);
    expect(y.max).toBeGreaterThan(exactAt ?? 0);
    expect(Math.max(...y.ticks)).toBeLessThan(exactAt ?? 0);
    expect(y.min).toBe(0);
  });

  it('zooms on accuracies, and shows no tick above 100 %', () => {
    const { y } = scatterScale([point(10, 0.98), point(5, 0.96), point(3, 1)], 'accuracy');
    expect(y.min).toBeGreaterThan(0.9);
    expect(Math.max(...y.ticks)).toBeLessThanOrEqual(1);
  });
});

describe('placeLabels', () => {
  const area = { left: 0, top: 0, right: 400, bottom: 300 };
  it('puts a label to the right, and to the left at the right edge', () => {
    const [free, edge] = placeLabels(
      [
        { x: 50, y: 50, width: 60, height: 28 },
        { x: 390, y: 150, width: 60, height: 28 },
      ],
      area,
    );
    expect(free.x).toBe(60);
    expect(edge.x).toBe(320);
  });

  it('keeps labels of close points apart', () => {
    const requests = [100, 104, 108].map((y) => ({ x: 100, y, width: 60, height: 28 }));
    const placed = placeLabels(requests, area);
    for (let a = 0; a < 3; a += 1)
      for (let b = 0; b < a; b += 1) {
        const apart = Math.abs(placed[a].x - placed[b].x) >= 60 || Math.abs(placed[a].y - placed[b].y) >= 28;
        expect(apart).toBe(true);
      }
  });
});
