/** TF.js weight manifests: which weights lie where in which shards, and how they are quantized. */
import { readFile } from 'node:fs/promises';
import { type Issue, WhittleError } from '../../contract/errors.ts';
import { byteLength, type DType } from '../../ir/dtype.ts';
import { elementCount, type Tensor, tensorOf, typedData } from '../../ir/tensor.ts';
import { halfBitsToNumber } from '../../kernels/half.ts';
import { fileInside } from '../inside-folder.ts';

type Json = Record<string, unknown>;

export interface ManifestWeights {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of the shards. */
  readonly files: readonly string[];
  readonly issues: readonly Issue[];
}

const dtypes: Readonly<Record<string, DType>> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
  float16: 'float16',
};
const storages: Readonly<Record<string, DType>> = { uint8: 'uint8', uint16: 'uint16', float16: 'float16' };

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function damaged(message: string): WhittleError {
  return new WhittleError('format.damaged', `${message}.`, {
    hint: 'Convert the model again, or copy model.json with all of its .bin files.',
  });
}

/**
 * Reads every weight of a manifest. Weights stay views on the shards unless they are quantized or a group is split
 * over several files.
 * @throws WhittleError `format.damaged` naming the shard: not there, outside of the folder, of another length.
 */
export async function readManifest(manifest: unknown, folder: string): Promise<ManifestWeights> {
  const tensors = new Map<string, Tensor>();
  const files: string[] = [];
  const issues: Issue[] = [];
  if (!Array.isArray(manifest)) throw damaged('The model has no weightsManifest');
  for (const group of manifest) {
    if (!isRecord(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw damaged('A group of the weightsManifest has no paths or no weights');
    }
    const paths = group.paths.map(String);
    files.push(...paths);
    const bytes = await readShards(folder, paths);
    let at = 0;
    for (const entry of group.weights) {
      const weight = parseWeight(entry);
      const { name, needed } = weight;
      if (needed === undefined) {
        const message = `The weight "${name}" is of type ${weight.dtype}, which Whittle does not handle.`;
        issues.push({ code: 'model.invalid', severity: 'error', node: name, message });
        // Texts have no fixed length: what follows them in the group cannot be found.
        break;
      }
      if (at + needed > bytes.length) {
        throw damaged(
          `The weight "${name}" needs bytes ${at} to ${at + needed} of ${paths.join(', ')}, which ${paths.length > 1 ? 'have' : 'has'} ${bytes.length}`,
        );
      }
      if (tensors.has(name)) throw damaged(`The weight "${name}" is listed twice`);
      tensors.set(name, valuesOf(weight, bytes.subarray(at, at + needed)));
      at += needed;
    }
  }
  return { tensors, files, issues };
}

async function readShards(folder: string, paths: readonly string[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const location of paths) {
    const file = await fileInside(folder, location).catch((error: Error) => {
      throw damaged(`The weights cannot be read: ${error.message}`);
    });
    const buffer = await readFile(file.path);
    parts.push(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  }
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

interface Weight {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly quantization?: { readonly storage: DType; readonly scale: number; readonly min: number };
  /** Bytes in the shards; undefined for types that are not numbers. */
  readonly needed?: number;
}

function parseWeight(entry: unknown): Weight {
  if (!isRecord(entry) || typeof entry.name !== 'string')
    throw damaged('A weight of the manifest has no name');
  const { name, shape, quantization } = entry;
  const isShape = Array.isArray(shape) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!isShape || !Number.isSafeInteger(elementCount(shape as number[]))) {
    throw damaged(`The weight "${name}" has the shape ${JSON.stringify(shape)}`);
  }
  const count = elementCount(shape as number[]);
  const dtype = String(entry.dtype);
  const base = { name, dtype, shape: shape as number[] };
  if (!dtypes[dtype]) return base;
  if (!isRecord(quantization)) return { ...base, needed: byteLength(dtypes[dtype], count) };
  const storage = storages[String(quantization.dtype)];
  const { scale = 1, min = 0 } = quantization;
  if (!storage || typeof scale !== 'number' || typeof min !== 'number') {
    throw damaged(`The weight "${name}" is quantized in an unknown way, ${JSON.stringify(quantization)}`);
  }
  return { ...base, quantization: { storage, scale, min }, needed: byteLength(storage, count) };
}

/** Quantized weights are real = min + scale × q (tfjs-core, io/types); of whole numbers the nearest. */
function valuesOf({ dtype, shape, quantization }: Weight, bytes: Uint8Array): Tensor {
  const target = dtypes[dtype];
  if (!quantization) return { dtype: target, shape, bytes };
  const { storage, scale, min } = quantization;
  const stored = typedData({ dtype: storage, shape, bytes });
  if (target === 'int32') {
    return tensorOf(
      'int32',
      shape,
      Int32Array.from(stored as Uint8Array, (q) => Math.round(q * scale + min)),
    );
  }
  const real = storage === 'float16' ? halfBitsToNumber : (q: number) => q * scale + min;
  return tensorOf('float32', shape, Float32Array.from(stored as Uint8Array, real));
}
