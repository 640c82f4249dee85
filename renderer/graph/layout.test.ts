import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxHeight, boxWidth, layoutGraph } from './layout.ts';

describe('layoutGraph', () => {
  it('draws a chain straight down', () => {
    const { x, rank } = layoutGraph(3, [
      [0, 1],
      [1, 2],
    ]);
    expect([...rank]).toEqual([0, 1, 2]);
    expect(new Set(x).size).toBe(1);
  });

  it('leads a skip around the boxes it passes', () => {
    const { routes, x } = layoutGraph(3, [
      [0, 1],
      [1, 2],
      [0, 2],
    ]);
    const skip = routes[2];
    expect(skip.points).toHaveLength(3);
    expect(Math.abs(skip.points[1][0] - x[1])).toBeGreaterThan(boxWidth / 2);
  });

  it('survives cycles and an empty graph', () => {
    expect(layoutGraph(0, []).routes).toEqual([]);
    const { routes } = layoutGraph(2, [
      [0, 1],
      [1, 0],
    ]);
    expect(routes).toHaveLength(2);
  });

  it('never lets two boxes overlap, and every edge runs down', () => {
    const graph = fc.integer({ min: 1, max: 25 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 50 }),
      }),
    );
    fc.assert(
      fc.property(graph, ({ count, edges }) => {
        const dag = edges.filter(([a, b]) => a < b);
        const { x, y, routes } = layoutGraph(count, dag);
        for (let a = 0; a < count; a += 1)
          for (let b = 0; b < a; b += 1)
            expect(
              Math.abs(x[a] - x[b]) >= boxWidth - 0.001 || Math.abs(y[a] - y[b]) >= boxHeight,
              `boxes ${a} and ${b} overlap`,
            ).toBe(true);
        for (const { from, to } of routes) expect(y[from]).toBeLessThan(y[to]);
      }),
    );
  });

  it('takes a chain of two thousand with skips in under a second', () => {
    const edges: [number, number][] = [];
    for (let i = 0; i < 1999; i += 1) edges.push([i, i + 1]);
    for (let i = 0; i < 1990; i += 10) edges.push([i, i + 9]);
    const start = performance.now();
    layoutGraph(2000, edges);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
