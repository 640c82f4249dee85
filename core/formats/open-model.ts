/** The one way in for model files: tells the format, reads the model, and names the file's identity. */
import { createHash, type Hash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import { detectFormat } from './detect-format.ts';
import type { ModelFiles, ModelFormat, ModelReader, ReadOptions, ReadResult } from './model-file.ts';

export { detectFormat } from './detect-format.ts';

export interface OpenedModel extends ReadResult {
  readonly format: ModelFormat;
  /** The model file, and what lies outside of it but belongs to it. */
  readonly sizeBytes: number;
  /** Of the model file, in hexadecimal; of a folder over all files of the model. */
  readonly sha256: string;
}

/** A reader is loaded when a file of its kind is opened: HDF5 and schema tables cost start-up time. */
async function readerOf(format: ModelFormat): Promise<ModelReader> {
  switch (format) {
    case 'onnx':
      return (await import('./onnx/reader.ts')).readOnnx;
    case 'tflite':
      return (await import('./tflite/reader.ts')).readTflite;
    case 'keras':
    case 'keras-h5':
      return (await import('./keras/reader.ts')).readKeras;
    case 'savedmodel':
      return (await import('./savedmodel/reader.ts')).readSavedModel;
    case 'graphdef':
      return (await import('./graphdef/reader.ts')).readGraphDef;
    case 'tfjs':
      return (await import('./tfjs/reader.ts')).readTfjs;
  }
}

async function addTo(hash: Hash, path: string): Promise<void> {
  const file = await open(path);
  try {
    const chunk = new Uint8Array(1 << 20);
    for (;;) {
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return;
      hash.update(chunk.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await addTo(hash, path);
  return hash.digest('hex');
}

/** Size and hash of a model in several files: of each its name, a zero byte and its content, in the order of names. */
async function identityOf({ folder, names }: ModelFiles): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (const name of [...names].sort()) {
    const path = join(folder, name);
    sizeBytes += (await stat(path)).size;
    hash.update(`${name}\0`);
    await addTo(hash, path);
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** An error about a file names the file, also where the code that found it saw only bytes. */
function naming(path: string): (error: unknown) => never {
  const name = basename(path);
  return (error) => {
    if (!(error instanceof WhittleError) || error.message.includes(name)) throw error;
    const { code, message, hint, issues } = error;
    throw new WhittleError(code, `${name}: ${message}`, { hint, issues, cause: error });
  };
}

/** Reads a model once more, in another way. @param format as `readModel` found it */
export async function readAgain(
  path: string,
  format: ModelFormat,
  options: ReadOptions,
): Promise<ReadResult> {
  const read = await readerOf(format);
  return read(path, options).catch(naming(path));
}

/**
 * Reads a model of any format that Whittle knows, from a file or a folder.
 * @throws WhittleError when there is no such file, it is no model, or it is damaged; what is wrong inside a model is
 * listed in `issues` instead.
 */
export async function readModel(path: string, options: ReadOptions = {}): Promise<OpenedModel> {
  const format = await detectFormat(path);
  const result = await readAgain(path, format, options);
  if (result.files) return { ...result, format, ...(await identityOf(result.files)) };
  const [info, sha256] = await Promise.all([stat(path), sha256Of(path)]);
  return { ...result, format, sizeBytes: info.size + (result.externalBytes ?? 0), sha256 };
}
