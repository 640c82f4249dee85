/** A plan that was written and run: how large it is and how good. */
export interface Measured {
  readonly sizeBytes: number;
  /** Larger is better. */
  readonly quality: number;
}

/** The points that no other beats in both size and quality, the smallest first; of equal ones, the first seen. */
export function paretoFront<P extends Measured>(points: readonly P[]): P[] {
  const sorted = [...points].sort((a, b) => a.sizeBytes - b.sizeBytes || b.quality - a.quality);
  const front: P[] = [];
  for (const point of sorted) {
    const best = front[front.length - 1];
    if (!best || point.quality > best.quality) front.push(point);
  }
  return front;
}
