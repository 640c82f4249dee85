/** The largest finite binary16 number. */
export const largestHalf = 65504;

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/**
 * IEEE 754 binary16 bits of a number, rounded half to even (from its float32 value). Above 65504 after rounding it is
 * infinity, below 2⁻²⁵ zero; NaN stays NaN.
 */
export function halfBits(x: number): number {
  single[0] = x;
  return roundBits(singleBits[0]);
}

function roundBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is the first number that rounds to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent (127 → 15), then drop 13 fraction bits; a carry may run into the exponent.
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // At or below half of the smallest subnormal, 2⁻²⁵, the nearest is zero.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  return sign | (rest > half || (rest === half && kept & 1) ? kept + 1 : kept);
}

export interface HalfConversion {
  /** Raw binary16 bits. */
  readonly bits: Uint16Array;
  /** Finite elements beyond ±65504, which were held to it instead of becoming infinite. */
  readonly clamped: number;
  /** Elements other than zero that became zero. */
  readonly vanished: number;
}

/** Converts to binary16, half to even. Finite numbers are held to ±65504: they never become infinite. */
export function toHalf(data: Float32Array): HalfConversion {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const bits = new Uint16Array(data.length);
  let clamped = 0;
  let vanished = 0;
  for (let i = 0; i < bits.length; i++) {
    const word = words[i];
    const magnitude = word & 0x7fffffff;
    if (magnitude > 0x477fe000 && magnitude < 0x7f800000) {
      bits[i] = ((word >>> 16) & 0x8000) | 0x7bff;
      clamped++;
      continue;
    }
    const half = roundBits(word);
    if ((half & 0x7fff) === 0 && magnitude !== 0) vanished++;
    bits[i] = half;
  }
  return { bits, clamped, vanished };
}
