import type { HistogramView } from '../contract/views.ts';
import type { Histogram } from '../kernels/histogram.ts';

/** Lower end of a histogram's bin. */
function startOf({ binsPerSide, width }: Histogram, bin: number): number {
  return (bin - binsPerSide) * width;
}

function binOf({ binsPerSide, width, counts }: Histogram, value: number): number {
  const bin = width === 0 ? binsPerSide : Math.floor(value / width) + binsPerSide;
  return Math.min(counts.length - 1, Math.max(0, bin));
}

/** The value below which a share of the elements lies, to within a bin, and never outside of what was seen. */
export function quantileOf(histogram: Histogram, share: number): number {
  const { counts, zeros, total, min, max, width, binsPerSide } = histogram;
  const wanted = share * total;
  let below = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (bin === binsPerSide) {
      below += zeros;
      if (zeros > 0 && below >= wanted) return 0;
    }
    below += counts[bin];
    if (below < wanted || counts[bin] === 0) continue;
    // The end of the bin that lies further out: the span holds what it says.
    return Math.min(max, Math.max(min, startOf(histogram, bin) + (share < 0.5 ? 0 : width)));
  }
  return max;
}

/**
 * Histograms as they are drawn: in the same bins of one width, from the smallest to the largest element of any of them,
 * at most `most` bins.
 */
export function viewHistograms(histograms: readonly Histogram[], most: number): HistogramView[] {
  const filled = histograms.filter(({ total }) => total > 0);
  const width = Math.max(...filled.map((histogram) => histogram.width), 0);
  const widest = filled.find((histogram) => histogram.width === width);
  if (!widest || width === 0) {
    return histograms.map(({ total }) => ({ start: 0, width: 0, counts: [total] }));
  }
  const min = Math.min(...filled.map((histogram) => histogram.min));
  const max = Math.max(...filled.map((histogram) => histogram.max));
  const first = binOf(widest, min);
  const bins = binOf(widest, max) - first + 1;
  const joined = Math.ceil(bins / most);
  const start = startOf(widest, first);
  return histograms.map((histogram) => {
    const counts = new Array<number>(Math.ceil(bins / joined)).fill(0);
    const put = (value: number, count: number): void => {
      const bin = Math.floor((value - start) / (width * joined));
      counts[Math.min(counts.length - 1, Math.max(0, bin))] += count;
    };
    histogram.counts.forEach((count, bin) => {
      if (count > 0) put(startOf(histogram, bin) + histogram.width / 2, count);
    });
    if (histogram.zeros > 0) put(0, histogram.zeros);
    return { start, width: width * joined, counts };
  });
}
