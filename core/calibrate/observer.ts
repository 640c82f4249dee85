import type { ValueId } from '../ir/graph.ts';

/** The range of reals that a value takes, as calibration found it. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Ranges by value name: what a plan is decided from. */
export type Ranges = ReadonlyMap<ValueId, Range>;

/** Watches one value over many samples in constant memory. */
export interface Observer {
  observe(data: Float32Array): void;
  /** Joins what another observer of the same kind has seen. Order must not matter. */
  merge(other: this): void;
  range(): Range;
}
