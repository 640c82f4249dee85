/** The one way in for model files: tells the format, reads the model, and names the file's identity. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import { detectFormat } from './detect-format.ts';
import type { ModelFormat, ModelReader, ReadOptions, ReadResult } from './model-file.ts';

export { detectFormat } from './detect-format.ts';

export interface OpenedModel extends ReadResult {
  readonly format: ModelFormat;
  /** The model file, and what lies outside of it but belongs to it. */
  readonly sizeBytes: number;
  /** Of the model file, in hexadecimal. */
  readonly sha256: string;
}

/** A reader is loaded when a file of its kind is opened: HDF5 and schema tables cost start-up time. */
async function readerOf(format: ModelFormat, path: string): Promise<ModelReader> {
  switch (format) {
    case 'onnx':
      return (await import('./onnx/reader.ts')).readOnnx;
    case 'tflite':
      return (await import('./tflite/reader.ts')).readTflite;
    case 'keras':
    case 'keras-h5':
      return (await import('./keras/reader.ts')).readKeras;
    case 'savedmodel':
      throw new WhittleError(
        'format.unsupported',
        `${basename(path)} is a TensorFlow SavedModel, which Whittle does not read.`,
        {
          hint: 'Save the model as .keras or .h5, or convert it with tf2onnx to ONNX.',
        },
      );
    case 'tfjs':
      throw new WhittleError(
        'format.unsupported',
        `${basename(path)} is a TensorFlow.js model, which Whittle does not read.`,
        {
          hint: 'Open the Keras model it was made from, or convert it with tf2onnx to ONNX.',
        },
      );
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/**
 * Reads a model of any format that Whittle knows.
 * @throws WhittleError when there is no such file, it is no model, or it is damaged; what is wrong inside a model is
 * listed in `issues` instead.
 */
export async function readModel(path: string, options: ReadOptions = {}): Promise<OpenedModel> {
  const format = await detectFormat(path);
  const read = await readerOf(format, path);
  const [result, info, sha256] = await Promise.all([read(path, options), stat(path), sha256Of(path)]);
  return { ...result, format, sizeBytes: info.size + (result.externalBytes ?? 0), sha256 };
}
