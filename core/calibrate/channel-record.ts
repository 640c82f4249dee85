import type { Tensor } from '../ir/tensor.ts';
import type { Extent } from '../kernels/scan.ts';
import type { ChannelStatistics } from './equalize.ts';
import type { Observer, Range } from './observer.ts';
import { MinMaxObserver } from './observers.ts';
import { readSlice, type Tap } from './statistics-graph.ts';

/** What the first pass finds out about one value: its extent, per channel where there are channels, and means. */
export class ChannelRecord {
  private readonly observer: Observer | undefined;
  /** Every other sample each: what they saw together is the extent of all. */
  private readonly halves = [new MinMaxObserver(), new MinMaxObserver()] as const;
  private min = new Float64Array(0);
  private max = new Float64Array(0);
  private sums = new Float64Array(0);
  private samples = 0;

  /** @param observer takes each sample's extent, when that is all it needs */
  constructor(observer: Observer | undefined) {
    this.observer = observer;
  }

  add(tap: Tap, results: Readonly<Record<string, Tensor>>): void {
    const max = readSlice(results, tap.max!);
    const min = tap.min ? readSlice(results, tap.min) : new Float32Array(max.length);
    const means = tap.channelMeans === undefined ? undefined : readSlice(results, tap.channelMeans);
    if (this.samples === 0) {
      this.min = Float64Array.from(min);
      this.max = Float64Array.from(max);
      this.sums = new Float64Array(means?.length ?? 0);
    }
    for (let c = 0; c < min.length; c++) {
      this.min[c] = Math.min(this.min[c], min[c]);
      this.max[c] = Math.max(this.max[c], max[c]);
    }
    for (let c = 0; means && c < means.length; c++) this.sums[c] += means[c];
    // A sample's extent is all that such observers want; the ends of all channels hold it.
    const extent = Float32Array.of(smallest(min), largest(max));
    this.halves[this.samples % 2].observe(extent);
    this.observer?.observe(extent);
    this.samples++;
  }

  /** The extent of all samples. */
  seen(): { min: number; max: number } {
    const all = new MinMaxObserver();
    for (const half of this.halves) all.merge(half);
    return all.range();
  }

  /** The extents of two disjoint halves of the samples; undefined of fewer than two samples. */
  seenByHalves(): readonly [Extent, Extent] | undefined {
    return this.samples < 2 ? undefined : [this.halves[0].range(), this.halves[1].range()];
  }

  /** The observer's range; with factors the extent of the channels divided by them. */
  range(factors: Float64Array | undefined): Range {
    if (!factors) return this.observer?.range() ?? this.seen();
    return {
      min: smallest(this.min.map((x, c) => x / factors[c])),
      max: largest(this.max.map((x, c) => x / factors[c])),
    };
  }

  means(): Float64Array | undefined {
    return this.sums.length === 0 ? undefined : this.sums.map((sum) => sum / this.samples);
  }

  /** Per channel, where there are channels. */
  statistics(): ChannelStatistics | undefined {
    const mean = this.means();
    return mean && { min: this.min, max: this.max, mean };
  }
}

function smallest(values: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] < least) least = values[i];
  return least;
}

function largest(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i];
  return most;
}
