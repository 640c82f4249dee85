/** Reads ONNX files. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../../contract/errors.ts';
import type { ModelReader, ReadOptions, ReadResult } from '../model-file.ts';
import { decode } from '../protobuf/wire.ts';
import { externalTensors, readExternalData } from './external-data.ts';
import { importModel } from './importer.ts';
import { type ModelProto, modelTable } from './schema.ts';

function decodeModel(bytes: Uint8Array, name: string): ModelProto {
  try {
    return decode(bytes, modelTable);
  } catch (error) {
    throw new WhittleError('format.damaged', `${name} is not a complete ONNX file: ${reasonOf(error)}.`, {
      hint: 'The file seems to be cut off or changed; copy or export it again.',
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === 'premature EOF' ? 'it ends in the middle of a field' : message;
}

/**
 * Reads an ONNX model from memory (opset 7 to 26). Weights stay views on `bytes`. External data cannot be reached
 * from here and is an issue.
 * @throws WhittleError `format.damaged` when the bytes are not an ONNX model.
 */
export function readOnnxBytes(bytes: Uint8Array, name: string, options: ReadOptions = {}): ReadResult {
  const model = decodeModel(bytes, name);
  const missing = model.graph ? externalTensors(model.graph) : [];
  if (missing.length) {
    throw new WhittleError(
      'model.external-data',
      `${name} keeps ${missing.length} of its weights in other files ("${missing[0].name ?? ''}" first), which are not at hand.`,
      { hint: 'Open the model from its folder.' },
    );
  }
  return importModel(model, name, options);
}

/**
 * Reads an ONNX model file, with external data beside it.
 * @throws WhittleError `file.unreadable`, `format.damaged`, `model.external-data`.
 */
export const readOnnx: ModelReader = async (path, options) => {
  const name = basename(path);
  const buffer = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new WhittleError('file.unreadable', `${path} cannot be read: ${error.message}.`, { cause: error });
  });
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const model = decodeModel(bytes, name);
  if (!model.graph || externalTensors(model.graph).length === 0) return importModel(model, name, options);
  const external = await readExternalData(model.graph, path);
  let externalBytes = 0;
  for (const { byteLength } of external.values()) externalBytes += byteLength;
  return { ...importModel(model, name, options, external), externalBytes };
};
