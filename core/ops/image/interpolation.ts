/** How ONNX's Resize weighs the elements along one axis (onnx, docs/Operators.md, "Resize"). */
import type { ResizeAttrs } from '../vocabulary.ts';

/** One axis of a Resize. */
export interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  /** The scale that the source gave, else the ratio of sizes. */
  readonly scale: number;
  /** Of tf_crop_and_resize: start and end as fractions of the axis. */
  readonly region?: readonly [number, number];
}

export function resizedAxis(attrs: ResizeAttrs, axis: number, from: number, to: number): ResizedAxis {
  const { roi } = attrs;
  return {
    from,
    to,
    scale: Math.fround(attrs.scales?.[axis] ?? to / from),
    ...(roi && { region: [roi[axis], roi[axis + roi.length / 2]] }),
  };
}

const f = Math.fround;

/** Where element `i` of the result lies in the source, in the float32 arithmetic of onnxruntime. */
export function sourcePosition(
  transformation: ResizeAttrs['coordinateTransformation'],
  i: number,
  { from, to, scale, region = [0, 1] }: ResizedAxis,
): number {
  switch (transformation) {
    case 'asymmetric':
      return f(i / scale);
    case 'align_corners':
      return to === 1 ? 0 : f((i * (from - 1)) / (to - 1));
    case 'pytorch_half_pixel':
      return to === 1 ? 0 : f((i + 0.5) / scale - 0.5);
    case 'half_pixel_symmetric': {
      const adjustment = f(to / f(scale * from));
      return f(f((from / 2) * (1 - adjustment)) + f((i + 0.5) / scale - 0.5));
    }
    case 'tf_crop_and_resize': {
      const [start, end] = region.map(f);
      if (to === 1) return f(0.5 * f(start + end) * (from - 1));
      return f(f(start * (from - 1)) + f(f(i * f(end - start) * (from - 1)) / (to - 1)));
    }
    default:
      return f((i + 0.5) / scale - 0.5);
  }
}

/** Whether tf_crop_and_resize finds nothing there. */
export function isOutside(attrs: ResizeAttrs, i: number, axis: ResizedAxis): boolean {
  if (attrs.coordinateTransformation !== 'tf_crop_and_resize') return false;
  const position = sourcePosition('tf_crop_and_resize', i, axis);
  return position < 0 || position > axis.from - 1;
}

/** The triangle of linear interpolation. */
function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** The cubic convolution kernel (Keys 1981) with its one parameter. */
function cubic(a: number): (distance: number) => number {
  return (distance) => {
    const t = Math.abs(distance);
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
  };
}

/**
 * Weights of linear or cubic interpolation along one axis, as a row-major [to, from] matrix. Elements beyond the edge
 * are those of the edge, or count for nothing with `excludeOutside`; rows outside of a cropped region are zero.
 */
export function interpolationWeights(attrs: ResizeAttrs, axis: ResizedAxis): Float32Array {
  const { from, to, scale } = axis;
  const weights = new Float32Array(to * from);
  const kernel = attrs.mode === 'cubic' ? cubic(attrs.cubicCoeffA) : triangle;
  // With antialiasing a reduction widens the kernel, so that every element of the source counts.
  const stretch = attrs.antialias && scale < 1 ? scale : 1;
  const reach = (attrs.mode === 'cubic' ? 2 : 1) / stretch;
  for (let row = 0; row < to; row++) {
    if (isOutside(attrs, row, axis)) continue;
    const position = sourcePosition(attrs.coordinateTransformation, row, axis);
    const taps = new Map<number, number>();
    let sum = 0;
    for (let i = Math.floor(position - reach); i <= Math.ceil(position + reach); i++) {
      if (attrs.excludeOutside && (i < 0 || i >= from)) continue;
      const weight = kernel((i - position) * stretch);
      const at = Math.min(Math.max(i, 0), from - 1);
      taps.set(at, (taps.get(at) ?? 0) + weight);
      sum += weight;
    }
    for (const [at, weight] of taps) weights[row * from + at] = weight / sum;
  }
  return weights;
}
