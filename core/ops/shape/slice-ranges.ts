/** ONNX Slice arithmetic (operator Slice, opset 13). */

export interface SliceRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Negative positions counted from the end, and all positions clamped to an axis of `size` elements. */
export function resolveSlice(range: SliceRange, size: number): SliceRange {
  const { step } = range;
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const clamp = (position: number, least: number) =>
    Math.min(Math.max(position < 0 ? position + size : position, least), high);
  return { start: clamp(range.start, step > 0 ? 0 : Math.min(0, high)), end: clamp(range.end, low), step };
}

/** Elements that a resolved range picks. */
export function sliceLength({ start, end, step }: SliceRange): number {
  return Math.max(0, Math.ceil((end - start) / step));
}
