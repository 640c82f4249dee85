/** How far one set of numbers is from another, summed in one pass, so that memory does not grow with the samples. */

/** Where decibels stop: no power ratio of float64 sums means more than this. */
const limitDb = 300;

/**
 * 10·log10(signal ÷ noise), in dB, kept within ±300.
 * @returns `null` when there is no noise at all
 */
export function decibels(signal: number, noise: number): number | null {
  if (noise === 0) return null;
  const db = 10 * Math.log10(signal / noise);
  return Number.isNaN(db) ? -limitDb : Math.min(limitDb, Math.max(-limitDb, db));
}

/** Sums over pairs of a reference value and what stands for it. */
export class ErrorSums {
  count = 0;
  /** Σ ref² and Σ (ref − out)². */
  signal = 0;
  noise = 0;
  maxAbsError = 0;
  private energy = 0;
  private product = 0;

  /**
   * Adds aligned values. A value that is not finite on one side only, or infinite with another sign, counts as
   * infinite error; where both sides are the same non-finite value there is no error.
   * @throws RangeError when the lengths differ
   */
  add(reference: Float32Array, output: Float32Array): void {
    if (reference.length !== output.length)
      throw new RangeError(`${reference.length} reference values cannot be compared with ${output.length}`);
    let signal = 0;
    let noise = 0;
    let energy = 0;
    let product = 0;
    let largest = this.maxAbsError;
    for (let i = 0; i < reference.length; i++) {
      const wanted = reference[i];
      const got = output[i];
      const difference = wanted - got;
      if (difference - difference !== 0) {
        if (Object.is(wanted, got)) continue;
        noise = Number.POSITIVE_INFINITY;
        largest = Number.POSITIVE_INFINITY;
        continue;
      }
      signal += wanted * wanted;
      noise += difference * difference;
      energy += got * got;
      product += wanted * got;
      const magnitude = Math.abs(difference);
      if (magnitude > largest) largest = magnitude;
    }
    this.count += reference.length;
    this.signal += signal;
    this.noise += noise;
    this.energy += energy;
    this.product += product;
    this.maxAbsError = largest;
  }

  /** Joins the sums of other values; order does not matter. */
  merge(other: ErrorSums): void {
    this.count += other.count;
    this.signal += other.signal;
    this.noise += other.noise;
    this.energy += other.energy;
    this.product += other.product;
    this.maxAbsError = Math.max(this.maxAbsError, other.maxAbsError);
  }

  /** Signal to quantization noise ratio in dB; `null` when there is no error at all. */
  sqnrDb(): number | null {
    return decibels(this.signal, this.noise);
  }

  /** Cosine of the angle between all reference values and all outputs as two vectors; 1 when both are zero. */
  cosine(): number {
    if (this.signal === 0 && this.energy === 0) return 1;
    if (this.signal === 0 || this.energy === 0) return 0;
    return Math.max(-1, Math.min(1, this.product / Math.sqrt(this.signal * this.energy)));
  }
}

/** Index of the largest value, the first of equals; NaN never wins. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++)
    if (values[i] > values[best] || Number.isNaN(values[best])) best = i;
  return best;
}

/** The value below which the share `p` (0…1) of sorted values lies, linear between neighbours (numpy's default). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export function median(values: ArrayLike<number>): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
