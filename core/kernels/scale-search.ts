import type { AxisView } from './quantize.ts';

/** Candidate scales tried per channel, from the largest magnitude's own scale downwards. */
const candidates = 16;
/** The smallest candidate, as a part of the largest. */
const smallest = 0.4;

/**
 * Symmetric scale per channel that gives the least squared error of the channel's weights: with few levels clipping the
 * largest nearly always pays. Weights are seen as `[outer, channels, inner]`.
 * @param absMax largest magnitude per channel
 * @returns float32 scales; 1 for a channel of zeros
 */
export function leastSquaresScales(
  data: Float32Array,
  view: AxisView,
  absMax: Float64Array,
  limit: number,
): Float64Array {
  const scales = new Float64Array(view.channels);
  for (let c = 0; c < view.channels; c++) {
    if (absMax[c] === 0) {
      scales[c] = 1;
      continue;
    }
    let least = Number.POSITIVE_INFINITY;
    for (let step = candidates; step >= 0; step--) {
      const part = smallest + ((1 - smallest) * step) / candidates;
      const scale = Math.fround((absMax[c] * part) / limit);
      if (scale < 2 ** -126) break;
      const error = channelError(data, view, c, scale, limit, least);
      if (error < least) {
        least = error;
        scales[c] = scale;
      }
    }
    if (scales[c] === 0) scales[c] = 2 ** -126;
  }
  return scales;
}

/** Squared rounding error of one channel at a scale; stops early once it exceeds `bound`. */
function channelError(
  data: Float32Array,
  { outer, channels, inner }: AxisView,
  channel: number,
  scale: number,
  limit: number,
  bound: number,
): number {
  let error = 0;
  for (let o = 0; o < outer; o++) {
    const from = (o * channels + channel) * inner;
    for (let i = from; i < from + inner; i++) {
      const x = data[i] / scale;
      const rounded = Math.round(x);
      const q = Math.max(Math.min(rounded, limit), -limit);
      error += (x - q) * (x - q) * scale * scale;
    }
    if (error >= bound) return error;
  }
  return error;
}
