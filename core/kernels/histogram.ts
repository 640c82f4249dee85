/**
 * A histogram that grows its range and merges exactly. Bins lie on a grid anchored at zero whose width is a power of
 * two that depends only on the largest magnitude seen: halving the resolution joins bins in pairs, so that any order
 * of adding and merging ends in the same counts.
 */
export interface Histogram {
  /** `2 × binsPerSide` counts; bin `i` covers `[(i − binsPerSide) × width, (i + 1 − binsPerSide) × width)`. */
  readonly counts: Float64Array;
  readonly binsPerSide: number;
  /** Power of two; 0 while nothing but zeros was seen. */
  width: number;
  /** Elements equal to zero: they quantize without error and are kept apart. */
  zeros: number;
  /** Finite elements counted, zeros included. */
  total: number;
  min: number;
  max: number;
}

/** An empty histogram with `binsPerSide` bins (a power of two) on either side of zero. */
export function createHistogram(binsPerSide = 2048): Histogram {
  return {
    counts: new Float64Array(2 * binsPerSide),
    binsPerSide,
    width: 0,
    zeros: 0,
    total: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

/** The grid's width for a largest magnitude: `binsPerSide × width` is the next power of two above it. */
function widthFor(magnitude: number, binsPerSide: number): number {
  let reach = 2 ** Math.floor(Math.log2(magnitude));
  while (reach <= magnitude) reach *= 2;
  while (reach / 2 > magnitude) reach /= 2;
  return reach / binsPerSide;
}

/** Widens the bins to `width` by joining neighbours. */
function coarsen(histogram: Histogram, width: number): void {
  const { counts, binsPerSide } = histogram;
  if (histogram.width !== 0 && width > histogram.width) {
    const factor = width / histogram.width;
    const joined = new Float64Array(counts.length);
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] !== 0) joined[Math.floor((i - binsPerSide) / factor) + binsPerSide] += counts[i];
    }
    counts.set(joined);
  }
  histogram.width = width;
}

function reach(histogram: Histogram, magnitude: number): void {
  if (magnitude <= 0) return;
  const width = widthFor(magnitude, histogram.binsPerSide);
  if (width > histogram.width) coarsen(histogram, width);
}

/**
 * Adds the finite elements of `data`. With a `stride` only every so many-th is counted, which is enough for the shape of
 * a large tensor's distribution; its ends are those of all elements.
 */
export function addToHistogram(histogram: Histogram, data: Float32Array, stride = 1): void {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (x < min && x > Number.NEGATIVE_INFINITY) min = x;
    if (x > max && x < Number.POSITIVE_INFINITY) max = x;
  }
  if (max < min) return;
  histogram.min = Math.min(histogram.min, min);
  histogram.max = Math.max(histogram.max, max);
  reach(histogram, Math.max(-min, max));
  const { counts, binsPerSide } = histogram;
  const perWidth = histogram.width === 0 ? 0 : 1 / histogram.width;
  let zeros = 0;
  let counted = 0;
  for (let i = 0; i < data.length; i += stride) {
    const x = data[i];
    if (x === 0) zeros++;
    else if (x >= min && x <= max) counts[Math.floor(x * perWidth) + binsPerSide]++;
    else continue;
    counted++;
  }
  histogram.zeros += zeros;
  histogram.total += counted;
}

/** Joins `other` into `histogram`; both have the same number of bins. The result does not depend on order. */
export function mergeHistogram(histogram: Histogram, other: Histogram): void {
  if (other.binsPerSide !== histogram.binsPerSide) {
    throw new RangeError(`histograms of ${histogram.binsPerSide} and ${other.binsPerSide} bins do not merge`);
  }
  histogram.min = Math.min(histogram.min, other.min);
  histogram.max = Math.max(histogram.max, other.max);
  histogram.zeros += other.zeros;
  histogram.total += other.total;
  if (other.width === 0) return;
  if (other.width > histogram.width) coarsen(histogram, other.width);
  const factor = histogram.width / other.width;
  const { counts, binsPerSide } = histogram;
  for (let i = 0; i < other.counts.length; i++) {
    if (other.counts[i] === 0) continue;
    counts[Math.floor((i - binsPerSide) / factor) + binsPerSide] += other.counts[i];
  }
}
