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

/** IEEE 754 binary16 bits to a number. */
export function halfBitsToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let numbersOfBits: Float32Array | undefined;

/** The number of each of the 65,536 binary16 bit patterns. */
export function halfNumbers(): Float32Array {
  numbersOfBits ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfBitsToNumber(bits));
  return numbersOfBits;
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

/**
 * Converts to binary16 like `toHalf`, but rounds some elements to their other neighbour, so that the rounding errors
 * of each row sum to nearly nothing. What a layer sees is mostly positive (after ReLU) and shares a mean, so errors that
 * have a sum shift every output of the row, while errors without one mostly cancel. The elements nearest to a tie are
 * turned, since they lose least by it. The idea is that of SQuant (Guo et al. 2022, section 3) for integer weights.
 * @param data row-major, `rows` rows of equal length
 */
export function toHalfBalanced(data: Float32Array, rows: number): HalfConversion {
  const conversion = toHalf(data);
  const length = data.length / rows;
  for (let row = 0; row < rows; row++) balanceRow(data, conversion.bits, row * length, length);
  return conversion;
}

/** The other neighbour of an element that was rounded to `half`: away from zero when rounding went towards it. */
function otherNeighbour(x: number, half: number, bits: number): number {
  return Math.abs(x) > Math.abs(half) ? bits + 1 : bits - 1;
}

function balanceRow(data: Float32Array, bits: Uint16Array, start: number, length: number): void {
  const numbers = halfNumbers();
  let sum = 0;
  let steps = 0;
  for (let i = start; i < start + length; i++) {
    const half = numbers[bits[i]];
    const error = half - data[i];
    if (error === 0) continue;
    sum += error;
    steps += Math.abs(numbers[otherNeighbour(data[i], half, bits[i])] - half);
  }
  if (!Number.isFinite(sum) || sum === 0 || steps === 0) return;
  // How much worse an element gets, in steps, is spread evenly over 0…1: twice the turns that are needed are looked at.
  const turnsPerElement = Math.abs(sum) / steps;
  const limit = Math.max(4 * turnsPerElement, 32 / length);
  const candidates: { at: number; step: number; loss: number }[] = [];
  for (let i = start; i < start + length; i++) {
    const half = numbers[bits[i]];
    const error = half - data[i];
    if (error === 0) continue;
    const step = numbers[otherNeighbour(data[i], half, bits[i])] - half;
    const loss = 1 - (2 * Math.abs(error)) / Math.abs(step);
    if (loss <= limit && error * sum > 0 && Math.abs(half) < largestHalf)
      candidates.push({ at: i, step, loss });
  }
  candidates.sort((a, b) => a.loss - b.loss);
  for (const { at, step } of candidates) {
    if (Math.abs(sum + step) >= Math.abs(sum)) continue;
    sum += step;
    bits[at] = otherNeighbour(data[at], numbers[bits[at]], bits[at]);
  }
}
