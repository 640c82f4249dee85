/** A point to compare: smaller `cost` and larger `gain` are better. */
export interface ParetoPoint {
  cost: number;
  gain: number;
}

/**
 * The points that no other point beats in both cost and gain, by rising cost. Of equal points the first is kept.
 * Points with a figure that is not a number are left out; an infinite gain (no error at all) takes part.
 */
export function paretoFront<P extends ParetoPoint>(points: readonly P[]): P[] {
  const sorted = points
    .filter(({ cost, gain }) => Number.isFinite(cost) && !Number.isNaN(gain))
    .sort((a, b) => a.cost - b.cost || b.gain - a.gain);
  const front: P[] = [];
  for (const point of sorted) {
    const best = front.at(-1);
    if (!best || point.gain > best.gain) front.push(point);
  }
  return front;
}
