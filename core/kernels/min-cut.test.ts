import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MinCut } from './min-cut.ts';

type Edge = [from: number, to: number, capacity: number];

function cutCost(edges: readonly Edge[], onSourceSide: (node: number) => boolean): number {
  let cost = 0;
  for (const [from, to, capacity] of edges) if (onSourceSide(from) && !onSourceSide(to)) cost += capacity;
  return cost;
}

/** The cheapest of all cuts, by trying each. Node 0 is the source, node 1 the sink. */
function cheapest(edges: readonly Edge[], nodes: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 1 << (nodes - 2); set++) {
    best = Math.min(
      best,
      cutCost(edges, (node) => node === 0 || (node > 1 && (set & (1 << (node - 2))) !== 0)),
    );
  }
  return best;
}

describe('minimum cut', () => {
  it('is as cheap as the cheapest of all cuts', () => {
    const edge = fc.tuple(fc.nat(7), fc.nat(7), fc.nat(20)) as fc.Arbitrary<Edge>;
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 30 }), (edges) => {
        const cut = new MinCut(8);
        for (const [from, to, capacity] of edges) cut.edge(from, to, capacity);
        const side = cut.solve(0, 1);
        expect(side[0] && !side[1]).toBe(true);
        expect(cutCost(edges, (node) => side[node])).toBe(cheapest(edges, 8));
      }),
      { numRuns: 300 },
    );
  });

  it('respects forbidden cuts and says so when there is no other', () => {
    const cut = new MinCut(3);
    cut.edge(0, 2, Number.POSITIVE_INFINITY);
    cut.edge(2, 1, 5);
    expect(cut.solve(0, 1)).toEqual([true, false, true]);
    const none = new MinCut(2);
    none.edge(0, 1, Number.POSITIVE_INFINITY);
    expect(() => none.solve(0, 1)).toThrow(RangeError);
  });
});
