import { roundHalfAway } from './rounding.ts';

/** Integer types that quantized tensors are stored in. */
export type QuantizedType = 'int4' | 'int8' | 'uint8' | 'int16' | 'int32' | 'int64';

/** Smallest and largest integer of a type. int64 is held to what a double counts exactly. */
export const integerRange: Readonly<Record<QuantizedType, readonly [number, number]>> = {
  int4: [-8, 7],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** Largest magnitude of symmetric types: −128 and −8 are left out, as the LiteRT specification wants for weights. */
export const symmetricLimit: Readonly<Record<'int4' | 'int8' | 'int16', number>> = {
  int4: 7,
  int8: 127,
  int16: 32767,
};

/**
 * The smallest scale in use, float32's smallest normal number: a tensor of zeros (or of denormals) still gets a scale
 * that every runtime accepts.
 */
export const smallestScale = 2 ** -126;

export interface AffineParams {
  /** A float32 number, as files store it. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * Scale and zero point that cover `[min, max]` widened to contain zero, with the zero point nudged to an integer so
 * that zero is exact (LiteRT 8-bit quantization specification; TensorFlow's `GetNudgedScaleAndZeroPoint`).
 * A range of nothing but zero gets scale 1.
 */
export function asymmetricParams(min: number, max: number, type: 'int8' | 'uint8'): AffineParams {
  const [low, high] = integerRange[type];
  const from = Math.min(min, 0);
  const to = Math.max(max, 0);
  if (from === to) return { scale: 1, zeroPoint: type === 'int8' ? 0 : 128 };
  const scale = Math.max(Math.fround((to - from) / (high - low)), smallestScale);
  const zeroPoint = Math.min(Math.max(roundHalfAway(low - from / scale), low), high);
  return { scale, zeroPoint };
}

/** Scale that maps `[−absMax, absMax]` on the symmetric range of a type; zero point 0. A range of zero gets scale 1. */
export function symmetricScale(absMax: number, type: 'int4' | 'int8' | 'int16'): number {
  if (absMax === 0) return 1;
  return Math.max(Math.fround(absMax / symmetricLimit[type]), smallestScale);
}
