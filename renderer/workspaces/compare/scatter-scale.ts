import type { Measure, ScatterPoint } from '../../state/compare-rows.ts';
import { ticksBetween } from '../../ui/ticks.ts';

export interface ScatterScale {
  x: { max: number; ticks: number[] };
  y: { min: number; max: number; ticks: number[] };
  /** Where points without any error are drawn; undefined when there are none. */
  exactAt?: number;
}

/**
 * Axes for the scatter: sizes from zero, quality from zero (or below, when a result is worse than silence), fractions
 * around the values that occur. Points with no error at all get a lane of their own above the scale.
 */
export function scatterScale(points: readonly ScatterPoint[], measure: Measure): ScatterScale {
  const xMax = Math.max(...points.map(({ cost }) => cost), 1) * 1.12;
  // What failed may be far off; it is drawn at the edge instead of pressing the others together.
  const passed = points.filter(({ row }) => !row.failed);
  const finite = (passed.length > 1 ? passed : points).map(({ gain }) => gain).filter(Number.isFinite);
  const x = { max: xMax, ticks: ticksBetween(0, xMax, 5) };
  if (measure !== 'quality') {
    const lowest = Math.min(...finite, 1);
    const highest = Math.max(...finite, 0);
    const span = Math.max(highest - lowest, 0.02);
    const min = Math.max(0, lowest - span * 0.25);
    const max = Math.min(1, highest + span * 0.15);
    const ticks = ticksBetween(min, max, 5);
    return { x, y: { min, max, ticks } };
  }
  const top = Math.max(...finite, 10);
  const min = Math.min(0, ...finite);
  const hasExact = points.some(({ gain }) => gain === Number.POSITIVE_INFINITY);
  const scaleTop = top * 1.06;
  const exactAt = hasExact ? top * 1.16 : undefined;
  return {
    x,
    y: { min, max: hasExact ? top * 1.24 : top * 1.12, ticks: ticksBetween(min, scaleTop, 6) },
    exactAt,
  };
}
