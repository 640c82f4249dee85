/** Tells what a file is from what is in it, never from its name. */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import type { ModelFormat } from './model-file.ts';
import { type TopLevelField, topLevelFields } from './protobuf/top-level-fields.ts';
import { describeUnknown } from './unknown-files.ts';
import { zipNames } from './zip-names.ts';

const headLength = 4096;

/** Something that is known but is no model that Whittle reads. */
export interface OtherKind {
  /** As in "x.bin is …". */
  readonly what: string;
  readonly hint?: string;
}

/**
 * @returns the format of a model file or folder.
 * @throws WhittleError `file.not-found`, `file.unreadable`, or `format.unknown` saying what the file looks like.
 */
export async function detectFormat(path: string): Promise<ModelFormat> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      throw new WhittleError('file.not-found', `There is no file ${path}.`, { cause: error });
    }
    throw new WhittleError('file.unreadable', `${path} cannot be read: ${error.message}.`, { cause: error });
  });
  const found = info.isDirectory() ? await folderKind(path) : await fileKind(path, info.size);
  if (typeof found === 'string') return found;
  throw new WhittleError(
    'format.unknown',
    `${basename(path)} is not a model that Whittle reads: it is ${found.what}.`,
    {
      hint:
        found.hint ??
        'Whittle reads Keras (.h5, .keras), ONNX, TensorFlow Lite, SavedModel and TF.js models.',
    },
  );
}

async function folderKind(path: string): Promise<ModelFormat | OtherKind> {
  const names = new Set(await readdir(path));
  if (names.has('saved_model.pb') || names.has('saved_model.pbtxt')) return 'savedmodel';
  if (names.has('model.json')) return 'tfjs';
  if (names.has('Manifest.json') && names.has('Data')) {
    return { what: 'a Core ML package', hint: 'Convert the model it was made from: Keras or ONNX.' };
  }
  return {
    what: 'a folder without a model in it',
    hint: 'Choose the model file itself, or a SavedModel folder.',
  };
}

async function fileKind(path: string, size: number): Promise<ModelFormat | OtherKind> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new WhittleError('file.unreadable', `${path} cannot be read: ${error.message}.`, { cause: error });
  });
  try {
    const head = new Uint8Array(Math.min(size, headLength));
    await file.read(head, 0, head.length, 0);
    return await kindOf(file, head, size);
  } finally {
    await file.close();
  }
}

function text(head: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...head.subarray(from, to));
}

async function kindOf(file: FileHandle, head: Uint8Array, size: number): Promise<ModelFormat | OtherKind> {
  if (size === 0) return { what: 'an empty file' };
  if (text(head, 4, 8) === 'TFL3') return 'tflite';
  if (await isHdf5(file, size)) return 'keras-h5';
  if (text(head, 0, 4) === 'PK\x03\x04') return zipKind(await zipNames(file, size));
  const json = text(head, 0, head.length);
  if (/^\s*\{/.test(json) && /"(modelTopology|weightsManifest)"/.test(json)) return 'tfjs';
  const fields = await topLevelFields(file, size);
  if (fields) {
    const kind = protobufKind(fields, head);
    if (kind) return kind;
  }
  return describeUnknown(head);
}

/** The HDF5 signature stands at 0, or at 512, 1024, 2048, … behind a user block (HDF5 format, II.A). */
async function isHdf5(file: FileHandle, size: number): Promise<boolean> {
  const bytes = new Uint8Array(8);
  for (let at = 0; at + 8 <= size && at <= 1 << 20; at = at === 0 ? 512 : at * 2) {
    await file.read(bytes, 0, 8, at);
    if (text(bytes, 0, 8) === '\x89HDF\r\n\x1a\n') return true;
  }
  return false;
}

function zipKind(names: readonly string[] | undefined): ModelFormat | OtherKind {
  if (!names) {
    return {
      what: 'a zip archive that is cut off',
      hint: 'Copy the file again; if it is a .keras file, save it again.',
    };
  }
  const has = (name: string) => names.includes(name);
  if (has('config.json') && has('model.weights.h5')) return 'keras';
  if (names.some((name) => /(^|\/)(data|constants)\.pkl$/.test(name))) {
    return {
      what: 'a PyTorch file',
      hint: 'Export the model from PyTorch with torch.onnx.export and open the .onnx file.',
    };
  }
  if (names.length && names.every((name) => name.endsWith('.npy'))) {
    return {
      what: 'a NumPy archive, which holds data and no model',
      hint: 'Use it as samples, with --data.',
    };
  }
  const inside = names.find(
    (name) => /\.(onnx|tflite|h5|keras|hdf5)$/.test(name) || name.endsWith('saved_model.pb'),
  );
  return {
    what: 'a zip archive',
    ...(inside && { hint: `Unpack it; it contains ${inside}.` }),
  };
}

/** Outermost fields of onnx.proto's ModelProto by wire type; Core ML's and TensorFlow's messages differ. */
const onnxVarints = new Set([1, 5]);
const onnxLengths = new Set([2, 3, 4, 6, 7, 8, 14, 20, 25, 26]);

function protobufKind(
  fields: readonly TopLevelField[],
  head: Uint8Array,
): ModelFormat | OtherKind | undefined {
  const has = (id: number) => fields.some((field) => field.id === id);
  // SavedModel has a version and MetaGraphs, which are large; ONNX's field 2 is the producer's name.
  const savedModel = fields.every(
    ({ id, wireType }) => (id === 1 && wireType === 0) || (id === 2 && wireType === 2),
  );
  if (savedModel && fields.some(({ id, start, end }) => id === 2 && end - start > 256)) return 'savedmodel';
  const onnx = fields.every(({ id, wireType }) =>
    wireType === 0 ? onnxVarints.has(id) : wireType === 2 && onnxLengths.has(id),
  );
  if (onnx && (has(7) || (has(1) && fields.length > 1))) return 'onnx';
  if (has(1) && has(2) && fields.some(({ id }) => id >= 200 && id < 4000)) {
    return { what: 'a Core ML model', hint: 'Convert the model it was made from: Keras or ONNX.' };
  }
  if (isGraph(fields, head)) return 'graphdef';
  return undefined;
}

/** TensorFlow's GraphDef: nodes (1), functions (2) and versions (4); a node begins with its name and operator. */
function isGraph(fields: readonly TopLevelField[], head: Uint8Array): boolean {
  const [first] = fields;
  const fits = fields.every(({ id, wireType }) =>
    wireType === 2 ? id === 1 || id === 2 || id === 4 : wireType === 0 && id === 3,
  );
  if (!fits || first.id !== 1) return false;
  return isNode(head, first.start);
}

/** Whether a node begins there: its tag and length, then its name (field 1) and its operator (field 2). */
function isNode(head: Uint8Array, start: number): boolean {
  const cursor = { at: start + 1 };
  const length = (): number => {
    let value = 0;
    for (let shift = 0; cursor.at < head.length && shift < 35; shift += 7) {
      const byte = head[cursor.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  const words = (tag: number): string => {
    if (head[cursor.at++] !== tag) return '';
    const size = length();
    cursor.at += size;
    return text(head, cursor.at - size, Math.min(cursor.at, head.length));
  };
  length();
  return words(0x0a) !== '' && /^_?[A-Za-z]\w*$/.test(words(0x12));
}
