import type { Histogram } from './histogram.ts';
import type { Extent } from './scan.ts';

/** The range seen, widened to contain zero. Nothing seen gives `[0, 0]`. */
export function fullRange(histogram: Histogram): Extent {
  if (histogram.total === 0) return { min: 0, max: 0 };
  return { min: Math.min(histogram.min, 0), max: Math.max(histogram.max, 0) };
}

/**
 * The range that leaves at most `1 − fraction` of all elements outside, half of that on either side, to the
 * resolution of a bin.
 */
export function percentileRange(histogram: Histogram, fraction: number): Extent {
  const range = fullRange(histogram);
  if (histogram.width === 0) return range;
  const { counts, binsPerSide, width, total } = histogram;
  const allowed = ((1 - fraction) / 2) * total;
  let low = 0;
  for (let below = counts[0]; low < binsPerSide && below <= allowed; below += counts[low]) low++;
  let high = counts.length - 1;
  for (let above = counts[high]; high >= binsPerSide && above <= allowed; above += counts[high]) high--;
  return {
    min: Math.max(range.min, Math.min((low - binsPerSide) * width, 0)),
    max: Math.min(range.max, Math.max((high + 1 - binsPerSide) * width, 0)),
  };
}

/** Running sums over bins: how many elements, their sum and their sum of squares, bin centres standing for elements. */
interface Moments {
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
}

function momentsOf(histogram: Histogram): Moments {
  const { counts, binsPerSide, width } = histogram;
  const count = new Float64Array(counts.length + 1);
  const sum = new Float64Array(counts.length + 1);
  const squares = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) {
    const centre = (i - binsPerSide + 0.5) * width;
    count[i + 1] = count[i] + counts[i];
    sum[i + 1] = sum[i] + counts[i] * centre;
    squares[i + 1] = squares[i] + counts[i] * centre * centre;
  }
  return { count, sum, squares };
}

/** Σ (x − limit)² over bins `from … to`. */
function clippedError(moments: Moments, from: number, to: number, limit: number): number {
  const n = moments.count[to] - moments.count[from];
  const s = moments.sum[to] - moments.sum[from];
  const q = moments.squares[to] - moments.squares[from];
  return Math.max(q - 2 * limit * s + n * limit * limit, 0);
}

/** Steps of the search along each end of the range; the last keeps the end where it was seen. */
const searchSteps = 64;

/**
 * The range with the least expected squared error when `levels` steps cover it: uniform rounding noise `step² ÷ 12`
 * for what is inside, the distance to the end for what is clipped. Zeros cost nothing, as zero is always exact.
 */
export function leastSquaresRange(histogram: Histogram, levels: number): Extent {
  const range = fullRange(histogram);
  if (histogram.width === 0) return range;
  const { binsPerSide, width, counts } = histogram;
  const moments = momentsOf(histogram);
  const everything = moments.count[counts.length];
  const binOf = (x: number) => Math.min(Math.max(Math.round(x / width) + binsPerSide, 0), counts.length);
  let best = range;
  let least = Number.POSITIVE_INFINITY;
  for (let i = range.min < 0 ? 1 : searchSteps; i <= searchSteps; i++) {
    const min = (range.min * i) / searchSteps;
    const low = i === searchSteps ? 0 : binOf(min);
    const below = clippedError(moments, 0, low, min);
    for (let j = range.max > 0 ? 1 : searchSteps; j <= searchSteps; j++) {
      const max = (range.max * j) / searchSteps;
      const high = j === searchSteps ? counts.length : binOf(max);
      const step = (max - min) / levels;
      const inside = everything - moments.count[low] - (everything - moments.count[high]);
      const error = below + clippedError(moments, high, counts.length, max) + (inside * step * step) / 12;
      if (error <= least) {
        least = error;
        best = { min, max };
      }
    }
  }
  return best;
}

/**
 * The symmetric threshold whose quantized distribution is nearest to the one seen by Kullback-Leibler divergence
 * (Migacz, "8-bit inference with TensorRT", 2017), cut to the range seen. `levels` counts the steps of one side.
 */
export function entropyRange(histogram: Histogram, levels: number): Extent {
  const range = fullRange(histogram);
  if (histogram.width === 0) return range;
  const { counts, binsPerSide, width } = histogram;
  const folded = new Float64Array(binsPerSide);
  for (let i = 0; i < binsPerSide; i++) folded[i] = counts[binsPerSide + i] + counts[binsPerSide - 1 - i];
  let used = binsPerSide;
  while (used > 0 && folded[used - 1] === 0) used--;
  const sums = divergenceSums(folded, used);
  const stride = Math.max(Math.floor(used / 256), 1);
  // A few of the thresholds set a mark that lets most others be given up half-way.
  let mark = Number.POSITIVE_INFINITY;
  for (let bins = used; bins >= levels; bins -= 16 * stride)
    mark = Math.min(mark, clippedDivergence(sums, bins, levels, mark));
  let threshold = used;
  let least = Number.POSITIVE_INFINITY;
  for (let bins = used; bins >= levels; bins -= stride) {
    const divergence = clippedDivergence(sums, bins, levels, Math.min(mark, least));
    if (divergence < least) {
      least = divergence;
      threshold = bins;
    }
  }
  const limit = threshold === used ? Number.POSITIVE_INFINITY : threshold * width;
  return { min: Math.max(range.min, -limit), max: Math.min(range.max, limit) };
}

/** Probability that stands for an empty bin, so that the divergence stays finite. */
const emptyBin = 1e-4;

/** What sums of a few hundred terms may be off by. */
const rounding = 1e-9;

/** Running sums over bins: all that the divergence of any threshold is made of. */
interface DivergenceSums {
  readonly count: Float64Array;
  /** Bins that are not empty. */
  readonly filled: Float64Array;
  /** Σ count · log count. */
  readonly entropy: Float64Array;
}

function divergenceSums(folded: Float64Array, used: number): DivergenceSums {
  const count = new Float64Array(used + 1);
  const filled = new Float64Array(used + 1);
  const entropy = new Float64Array(used + 1);
  for (let i = 0; i < used; i++) {
    count[i + 1] = count[i] + folded[i];
    filled[i + 1] = filled[i] + (folded[i] === 0 ? 0 : 1);
    entropy[i + 1] = entropy[i] + plogp(folded[i]);
  }
  return { count, filled, entropy };
}

function plogp(x: number): number {
  return x === 0 ? 0 : x * Math.log(x);
}

/**
 * KL divergence of the first `bins` bins, the rest heaped on the last, from the same in `levels` steps:
 * Σ p·log(p ÷ q) with one q for the filled bins of a step.
 * @returns ∞ as soon as it is certain to be above `mark`
 */
function clippedDivergence(
  { count, filled, entropy }: DivergenceSums,
  bins: number,
  levels: number,
  mark: number,
): number {
  const inside = count[bins];
  const total = count[count.length - 1];
  if (inside === 0) return Number.POSITIVE_INFINITY;
  const logTotal = Math.log(total);
  const outliers = total - inside;
  const last = count[bins] - count[bins - 1];
  // Outliers heaped on an empty last bin diverge from next to nothing instead of from zero.
  let divergence =
    last === 0 && outliers > 0 ? (outliers / total) * Math.log(outliers / total / emptyBin) : 0;
  // What is left adds at least as much as if it kept its shape: P·log(P ÷ Q) ≥ P·log(inside ÷ total). Outliers first.
  const logShare = Math.log(inside / total);
  let left = 1;
  for (let level = levels - 1; level >= 0; level--) {
    const from = Math.floor((level * bins) / levels);
    const to = Math.floor(((level + 1) * bins) / levels);
    const sum = count[to] - count[from];
    if (sum === 0) continue;
    const logQ = Math.log(sum / (filled[to] - filled[from]) / inside);
    const heaped = to === bins && last > 0 ? outliers : 0;
    const seen = entropy[to] - entropy[from] + (heaped > 0 ? plogp(last + heaped) - plogp(last) : 0);
    divergence += (seen - (sum + heaped) * (logTotal + logQ)) / total;
    left -= (sum + heaped) / total;
    if (divergence + left * logShare > mark + rounding) return Number.POSITIVE_INFINITY;
  }
  return divergence;
}
