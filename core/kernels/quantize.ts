/**
 * Quantize and dequantize on typed arrays: `q = clamp(round(x ÷ scale) + zeroPoint)`, `x = scale × (q − zeroPoint)`.
 * Per-axis variants see the tensor as `[outer, channels, inner]`, row-major, one scale per channel.
 */

export type IntegerArray = Int8Array | Uint8Array | Int16Array | Int32Array;

/** How a tensor's elements lie around its quantized axis. */
export interface AxisView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** The `[outer, channels, inner]` view of a row-major shape around `axis`. */
export function axisView(shape: readonly number[], axis: number): AxisView {
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < axis; i++) outer *= shape[i];
  for (let i = axis + 1; i < shape.length; i++) inner *= shape[i];
  return { outer, channels: shape[axis], inner };
}

/**
 * Quantizes `data[from … to)` into `out`, halves away from zero as TFLite does, clamped to `[low, high]`.
 * NaN becomes the zero point.
 */
export function quantizeRun(
  data: Float32Array,
  from: number,
  to: number,
  scale: number,
  zeroPoint: number,
  low: number,
  high: number,
  out: IntegerArray,
): void {
  const least = low - zeroPoint;
  const most = high - zeroPoint;
  for (let i = from; i < to; i++) {
    // No branches on signs and fractions, which nothing can predict; twice a fraction, cut off, rounds half away.
    const x = Math.min(Math.max(data[i] / scale, least), most);
    const whole = Math.trunc(x);
    const q = whole + Math.trunc(2 * (x - whole)) + zeroPoint;
    out[i] = Number.isNaN(q) ? zeroPoint : q;
  }
}

/** Quantizes a whole tensor with one scale. `out` has the length of `data`. */
export function quantizePerTensor<T extends IntegerArray>(
  data: Float32Array,
  scale: number,
  zeroPoint: number,
  limits: readonly [number, number],
  out: T,
): T {
  quantizeRun(data, 0, data.length, scale, zeroPoint, limits[0], limits[1], out);
  return out;
}

/** Quantizes with one scale and zero point per channel of `view`. */
export function quantizePerAxis<T extends IntegerArray>(
  data: Float32Array,
  view: AxisView,
  scales: ArrayLike<number>,
  zeroPoints: ArrayLike<number>,
  limits: readonly [number, number],
  out: T,
): T {
  const { outer, channels, inner } = view;
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++, at += inner) {
      quantizeRun(data, at, at + inner, scales[c], zeroPoints[c], limits[0], limits[1], out);
    }
  }
  return out;
}

export function dequantizePerTensor(data: IntegerArray, scale: number, zeroPoint: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = scale * (data[i] - zeroPoint);
  return out;
}

export function dequantizePerAxis(
  data: IntegerArray,
  view: AxisView,
  scales: ArrayLike<number>,
  zeroPoints: ArrayLike<number>,
): Float32Array {
  const out = new Float32Array(data.length);
  const { outer, channels, inner } = view;
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const scale = scales[c];
      const zeroPoint = zeroPoints[c];
      for (const end = at + inner; at < end; at++) out[at] = scale * (data[at] - zeroPoint);
    }
  }
  return out;
}
