import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront } from './pareto.ts';

describe('paretoFront', () => {
  it('keeps what nothing beats, by rising cost', () => {
    const points = [
      { id: 'source', cost: 100, gain: Number.POSITIVE_INFINITY },
      { id: 'f16', cost: 50, gain: 60 },
      { id: 'int8', cost: 25, gain: 35 },
      { id: 'dynamic', cost: 26, gain: 30 },
      { id: 'int16', cost: 27, gain: 55 },
      { id: 'broken', cost: 20, gain: Number.NaN },
    ];
    expect(paretoFront(points).map(({ id }) => id)).toEqual(['int8', 'int16', 'f16', 'source']);
  });

  it('keeps one of equal points', () => {
    expect(
      paretoFront([
        { cost: 1, gain: 1 },
        { cost: 1, gain: 1 },
      ]),
    ).toHaveLength(1);
  });

  it('every point left out is matched or beaten by one on the front', () => {
    const point = fc.record({ cost: fc.integer({ min: 0, max: 20 }), gain: fc.integer({ min: 0, max: 20 }) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 30 }), (points) => {
        const front = paretoFront(points);
        for (const p of points) expect(front.some((f) => f.cost <= p.cost && f.gain >= p.gain)).toBe(true);
        for (const f of front)
          for (const g of front) if (f !== g) expect(f.cost < g.cost === f.gain < g.gain).toBe(true);
      }),
    );
  });
});
