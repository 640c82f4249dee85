import type { Tensor } from '../ir/tensor.ts';
import type { Extent } from '../kernels/scan.ts';
import type { ChannelStatistics } from './equalize.ts';
import type { Observer, Range } from './observer.ts';
import { readSlice, type Tap } from './statistics-graph.ts';

/** Extents of the channels of one value. */
class ChannelExtents {
  min = new Float64Array(0);
  max = new Float64Array(0);

  include(min: ArrayLike<number>, max: ArrayLike<number>): void {
    if (this.min.length === 0) {
      this.min = Float64Array.from(min);
      this.max = Float64Array.from(max);
    }
    for (let c = 0; c < min.length; c++) {
      this.min[c] = Math.min(this.min[c], min[c]);
      this.max[c] = Math.max(this.max[c], max[c]);
    }
  }

  /** Of all channels together, each divided by its factor. */
  extent(factors?: Float64Array): Extent {
    const divided = (values: Float64Array) => (factors ? values.map((x, c) => x / factors[c]) : values);
    return { min: smallest(divided(this.min)), max: largest(divided(this.max)) };
  }
}

/** What the first pass finds out about one value: its extent, per channel where there are channels, and means. */
export class ChannelRecord {
  private readonly observer: Observer | undefined;
  private readonly all = new ChannelExtents();
  /** Every other sample each. */
  private readonly halves = [new ChannelExtents(), new ChannelExtents()] as const;
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
    if (this.samples === 0) this.sums = new Float64Array(means?.length ?? 0);
    for (const extents of [this.all, this.halves[this.samples % 2]]) extents.include(min, max);
    for (let c = 0; means && c < means.length; c++) this.sums[c] += means[c];
    // A sample's extent is all that such observers want; the ends of all channels hold it.
    this.observer?.observe(Float32Array.of(smallest(min), largest(max)));
    this.samples++;
  }

  /** The extent of all samples. */
  seen(): Extent {
    return this.samples === 0 ? { min: 0, max: 0 } : this.all.extent();
  }

  /** The extents of two disjoint halves of the samples; undefined of fewer than two samples. */
  seenByHalves(): readonly [Extent, Extent] | undefined {
    return this.samples < 2 ? undefined : [this.halves[0].extent(), this.halves[1].extent()];
  }

  /** The observer's range; with factors the extent of the channels divided by them. */
  range(factors: Float64Array | undefined): Range {
    if (!factors) return this.observer?.range() ?? this.seen();
    return this.all.extent(factors);
  }

  means(): Float64Array | undefined {
    return this.sums.length === 0 ? undefined : this.sums.map((sum) => sum / this.samples);
  }

  /** How many times wider one half of the samples makes a channel's range than the other. */
  private growthOf(channel: number): number {
    if (this.samples < 2) return Number.POSITIVE_INFINITY;
    const [one, other] = this.halves.map((half) => reach(half, channel));
    return one === other ? 1 : Math.max(one, other) / Math.min(one, other);
  }

  /** Per channel, where there are channels. */
  statistics(): ChannelStatistics | undefined {
    const mean = this.means();
    if (!mean) return undefined;
    const { min, max } = this.all;
    return { min, max, mean, growth: min.map((_, c) => this.growthOf(c)) };
  }
}

/** How far a channel's range reaches to both sides of zero. */
function reach({ min, max }: ChannelExtents, channel: number): number {
  return Math.max(max[channel], 0) - Math.min(min[channel], 0);
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
