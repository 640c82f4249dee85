/** Which element nearest-neighbour resizing picks along one axis, by ONNX's rules and by TFLite's. */
import type { ResizeAttrs } from '../vocabulary.ts';
import { type ResizedAxis, sourcePosition } from './interpolation.ts';

export interface NearestFlags {
  readonly align_corners: boolean;
  readonly half_pixel_centers: boolean;
}

/** ONNX Resize, mode nearest: the source index of each position along an axis. */
export function nearestIndices(attrs: ResizeAttrs, axis: ResizedAxis): number[] {
  const { from, to, scale } = axis;
  return Array.from({ length: to }, (_, i) => {
    if (from === to && scale === 1) return i;
    const picked = roundNearest(sourcePosition(attrs.coordinateTransformation, i, axis), attrs.nearestMode);
    return Math.min(Math.max(picked, 0), from - 1);
  });
}

function roundNearest(position: number, mode: ResizeAttrs['nearestMode']): number {
  switch (mode) {
    case 'floor':
      return Math.floor(position);
    case 'ceil':
      return Math.ceil(position);
    case 'round_prefer_floor':
      return Math.ceil(position - 0.5);
    default:
      return Math.floor(position + 0.5);
  }
}

/** The same for RESIZE_NEAREST_NEIGHBOR, with the float32 arithmetic of LiteRT's kernel. */
export function tfliteNearestIndices(flags: NearestFlags, from: number, to: number): number[] {
  const corners = flags.align_corners && to > 1;
  const scale = Math.fround(corners ? (from - 1) / (to - 1) : from / to);
  const offset = flags.half_pixel_centers ? 0.5 : 0;
  return Array.from({ length: to }, (_, i) => {
    const position = Math.fround(Math.fround(i + offset) * scale);
    const picked = flags.align_corners ? Math.floor(position + 0.5) : Math.floor(position);
    return Math.min(Math.max(picked, 0), from - 1);
  });
}
