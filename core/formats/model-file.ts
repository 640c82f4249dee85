import type { Issue } from '../contract/errors.ts';
import type { Graph } from '../ir/graph.ts';
import type { FixedValues } from './fix-inputs.ts';

export type ModelFormat = 'keras-h5' | 'keras' | 'onnx' | 'tflite' | 'savedmodel' | 'graphdef' | 'tfjs';

export interface ReadOptions {
  /** Concrete shapes by input name; they settle open dimensions. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Values of inputs that become constants before anything is read. */
  readonly fixed?: FixedValues;
  /** Leaves open what `shapes` does not settle, the batch included, and is no reason for an issue. */
  readonly keepOpen?: boolean;
}

export interface ReadResult {
  /** Absent when the file has errors that leave no graph. */
  readonly graph?: Graph;
  /** Everything found, all at once; an error among them means that the model cannot be converted. */
  readonly issues: readonly Issue[];
  /** Inputs as the file declares them, before shapes were settled. */
  readonly declaredInputs: readonly DeclaredInput[];
  readonly parameters: number;
  /** Size of weights that the model keeps in other files. */
  readonly externalBytes?: number;
  /** Present when the model is more than one file. */
  readonly files?: ModelFiles;
}

/** All files of a model, by which its size and hash are made. */
export interface ModelFiles {
  readonly folder: string;
  /** Paths in the folder. */
  readonly names: readonly string[];
}

export interface DeclaredInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

/**
 * Reads one container format into IR. A leading open dimension (batch) becomes 1 unless `shapes` says otherwise; any
 * other open dimension stays symbolic and is reported as an issue `model.dynamic-dims` that lists it by input.
 * @throws WhittleError `format.damaged` when the file is not what its first bytes promise.
 */
export type ModelReader = (path: string, options: ReadOptions) => Promise<ReadResult>;
