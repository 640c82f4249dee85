import type { Issue } from '../contract/errors.ts';
import type { Preprocess } from '../contract/views.ts';
import type { Tensor } from '../ir/tensor.ts';

/**
 * Samples for calibration and evaluation, read one at a time: memory does not grow with their number. `sample(i)`
 * returns one tensor per model input, of exactly that input's shape and type.
 */
export interface Dataset {
  readonly path: string;
  readonly kind: 'npz' | 'npy' | 'images' | 'npy-folder' | 'csv' | 'wav';
  readonly count: number;
  /** Class index per sample, when there are labels of that kind. */
  readonly labels?: Int32Array;
  /** Class names by index, when the source has names (folders). */
  readonly classNames?: readonly string[];
  sample(index: number): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** A dataset as the readers of this folder make it: with what they noticed on the way. */
export interface OpenedDataset extends Dataset {
  readonly issues: readonly Issue[];
  /** The settings in force, defaults filled in, when samples are made from pictures. */
  readonly preprocess?: Preprocess;
}
