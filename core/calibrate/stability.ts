import type { ValueId } from '../ir/graph.ts';
import { median } from '../kernels/metrics.ts';
import type { Extent } from '../kernels/scan.ts';

/** How far the ranges of two disjoint halves of the samples lie apart, as parts of the whole range, 0…1. */
export interface Stability {
  /** The value whose halves differ most. */
  readonly value: ValueId;
  readonly halves: readonly [Extent, Extent];
  readonly difference: number;
  /** The median over all values. */
  readonly typical: number;
}

/**
 * Compares the ranges that each half of the samples gives on its own, zero included as in every range.
 * @returns undefined where nothing is to be compared: fewer than two samples, or values that are zero throughout
 */
export function stabilityOf(
  records: Iterable<readonly [ValueId, readonly [Extent, Extent]]>,
): Stability | undefined {
  const differences: number[] = [];
  let worst: Omit<Stability, 'typical'> | undefined;
  for (const [value, halves] of records) {
    const [a, b] = halves.map(({ min, max }) => ({ min: Math.min(min, 0), max: Math.max(max, 0) }));
    const width = Math.max(a.max, b.max) - Math.min(a.min, b.min);
    if (!(width > 0) || halves.some(({ min, max }) => max < min)) continue;
    const difference = Math.max(Math.abs(a.min - b.min), Math.abs(a.max - b.max)) / width;
    differences.push(difference);
    if (!worst || difference > worst.difference) worst = { value, halves: [a, b], difference };
  }
  return worst && { ...worst, typical: median(differences) };
}

/**
 * Beyond these the ranges hang on which samples happened to be there. Of real networks, 64 samples leave at most 0.08
 * in the middle and 0.4 at the worst value; 8 often leave 0.15 and 0.5.
 */
const steady = { typical: 0.15, difference: 0.5 };

/** Whether the samples are too few, or too unlike each other, for their number. */
export function isUnsteady({ typical, difference }: Stability): boolean {
  return typical > steady.typical || difference > steady.difference;
}
