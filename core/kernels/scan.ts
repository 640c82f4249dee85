import type { AxisView } from './quantize.ts';

export interface Extent {
  min: number;
  max: number;
}

/** Smallest and largest number of an array; NaN is passed over. An empty array gives `{ min: ∞, max: −∞ }`. */
export function extentOf(data: ArrayLike<number>): Extent {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return { min, max };
}

/** Largest magnitude of an array; 0 for an empty one. */
export function absMaxOf(data: ArrayLike<number>): number {
  const { min, max } = extentOf(data);
  return max < min ? 0 : Math.max(-min, max, 0);
}

/** Largest magnitude per channel of an `[outer, channels, inner]` view. */
export function absMaxPerAxis(data: Float32Array, view: AxisView): Float64Array {
  const { outer, channels, inner } = view;
  const result = new Float64Array(channels);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let most = result[c];
      for (const end = at + inner; at < end; at++) {
        const x = data[at] < 0 ? -data[at] : data[at];
        if (x > most) most = x;
      }
      result[c] = most;
    }
  }
  return result;
}

/** Whether every element is a finite number. */
export function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}
