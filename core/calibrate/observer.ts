import type { ValueId } from '../ir/graph.ts';

/** The range of reals that a value takes, as calibration found it. */
export interface Range {
  /** The ends for 8-bit activations, of the value after its channels were divided by `factors`, where it has them. */
  readonly min: number;
  readonly max: number;
  /** The smallest and largest element seen: 16-bit activations keep them all, and need no factors. */
  readonly seen?: { readonly min: number; readonly max: number };
  /** Divisors per channel that let all channels make use of one 8-bit scale; see `equalize`. */
  readonly factors?: Float64Array;
  /**
   * Mean of each channel over samples and positions, where the value feeds weights: what bias correction needs. The
   * channel axis is the one that those weights contract; factors are not applied.
   */
  readonly channelMeans?: Float64Array;
}

/** Ranges by value name: what a plan is decided from. */
export type Ranges = ReadonlyMap<ValueId, Range>;

/** Watches one value over many samples in constant memory. */
export interface Observer {
  /** Takes one sample's elements. */
  observe(data: Float32Array): void;
  /** Joins what another observer of the same kind has seen. Order must not matter. */
  merge(other: this): void;
  range(): Range;
}
