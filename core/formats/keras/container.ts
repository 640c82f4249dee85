import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WhittleError } from '../../contract/errors.ts';
import { type ArchiveEntry, openArchive } from './archive.ts';
import { isModelClass, isRecord, type ModelConfig, parseModelConfig } from './config.ts';
import { type HdfFile, withHdf5 } from './hdf5.ts';
import { hdf5Weights, numberedWeights, type WeightScope } from './weights.ts';

/** A Keras file, opened: its model's configuration and a way to its weights. */
export interface KerasContainer {
  readonly model: ModelConfig;
  readonly weights: WeightScope;
  readonly dialect: 1 | 2 | 3;
  /** Version of Keras that wrote the file, as it states it. */
  readonly version?: string;
  readonly backend?: string;
}

const largestConfigBytes = 256 * 2 ** 20;
const hdf5Signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens a whole-model file and hands it to `use`: HDF5 of `model.save('x.h5')` (Keras 1.2 to 3), or the zip archive of `model.save('x.keras')`.
 * @throws WhittleError `file.not-found`, `file.unreadable`, or `format.damaged` saying what is wrong with the file.
 */
export async function withKerasFile<T>(path: string, use: (container: KerasContainer) => T): Promise<T> {
  const file = basename(path);
  const buffer = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT';
    throw new WhittleError(
      missing ? 'file.not-found' : 'file.unreadable',
      missing ? `There is no file ${path}` : `${path} cannot be read: ${cause.message}`,
      { cause },
    );
  });
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (startsWith(bytes, [0x50, 0x4b, 0x03, 0x04])) return readZip(bytes, file, use);
  // HDF5 allows a user block of 512, 1024, … bytes in front of the signature.
  for (let at = 0; at < bytes.length; at = at === 0 ? 512 : at * 2) {
    if (startsWith(bytes.subarray(at), hdf5Signature)) return readWholeHdf5(bytes, file, use);
  }
  throw new WhittleError('format.damaged', `${file} is neither an HDF5 file nor a .keras archive`, {
    hint:
      bytes.length === 0
        ? 'The file is empty.'
        : 'Save the model with model.save("model.keras") or "model.h5".',
  });
}

function readWholeHdf5<T>(
  bytes: Uint8Array,
  file: string,
  use: (container: KerasContainer) => T,
): Promise<T> {
  return withHdf5(bytes, file, (hdf5) => {
    const config = hdf5.attribute('/', 'model_config');
    if (typeof config !== 'string') {
      throw new WhittleError('format.unsupported', `${file} holds no model configuration`, {
        hint: 'It seems to hold weights only (save_weights). Save the whole model with model.save().',
      });
    }
    const root = hdf5.children('/').includes('model_weights') ? 'model_weights' : '/';
    const version = textAttribute(hdf5, '/', 'keras_version') ?? textAttribute(hdf5, root, 'keras_version');
    const dialect = dialectOf(version);
    return use({
      model: parseModelConfig(parseJson(config, `${file}: the attribute model_config`), dialect),
      weights: hdf5Weights(hdf5, root),
      dialect,
      version,
      backend: textAttribute(hdf5, '/', 'backend'),
    });
  });
}

function readZip<T>(bytes: Uint8Array, file: string, use: (container: KerasContainer) => T): Promise<T> {
  const entries = openArchive(bytes, file);
  const entry = (name: string): ArchiveEntry => {
    const found = entries.get(name);
    if (found) return found;
    throw new WhittleError('format.damaged', `${file} has no ${name} inside`, {
      hint: 'It is a zip archive but not a .keras file. Save the model with model.save("model.keras").',
    });
  };
  const text = (name: string): string => {
    const found = entry(name);
    if (found.sizeBytes > largestConfigBytes) {
      throw new WhittleError('format.damaged', `${file}: ${name} has ${found.sizeBytes} bytes`, {
        hint: `At most ${largestConfigBytes} bytes are read. The archive is damaged or made to exhaust memory.`,
      });
    }
    return new TextDecoder().decode(found.read());
  };
  const config = parseJson(text('config.json'), `${file}: config.json`);
  const metadata = entries.has('metadata.json')
    ? parseJson(text('metadata.json'), `${file}: metadata.json`)
    : {};
  const version =
    isRecord(metadata) && typeof metadata.keras_version === 'string' ? metadata.keras_version : undefined;
  const dialect = dialectOf(version ?? '3');
  refuseOwnModelClass(config, file);
  const model = parseModelConfig(config, dialect);
  const weights = entry('model.weights.h5').read();
  return withHdf5(weights, `${file}: model.weights.h5`, (hdf5) =>
    use({ model, weights: numberedWeights(hdf5, '', model), dialect, version }),
  );
}

function refuseOwnModelClass(config: unknown, file: string): void {
  if (!isRecord(config) || typeof config.class_name !== 'string') return;
  if (isModelClass(config.class_name)) return;
  const name = isRecord(config.config) && typeof config.config.name === 'string' ? config.config.name : file;
  const hint =
    'The file holds the name of this class but not its code. Rebuild the model as Functional or Sequential, or ' +
    'export it to ONNX where its code is at hand.';
  const message = `${name}: models of class ${config.class_name} are not read`;
  throw new WhittleError('model.unsupported-layer', message, {
    hint,
    issues: [
      {
        code: 'model.unsupported-layer',
        severity: 'error',
        message,
        node: name,
        op: config.class_name,
        hint,
      },
    ],
  });
}

/** Keras 1, 2 or 3 by the version that wrote the file; files without one are older than 2. */
function dialectOf(version: string | undefined): 1 | 2 | 3 {
  const major = Number.parseInt(version ?? '1', 10);
  if (major >= 3) return 3;
  return major === 2 ? 2 : 1;
}

function textAttribute(file: HdfFile, path: string, name: string): string | undefined {
  const value = file.attribute(path, name);
  return typeof value === 'string' ? value : undefined;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const plain = withoutPythonNumbers(text);
    if (plain !== text) return parseJson(plain, what);
    throw new WhittleError('format.damaged', `${what} is not JSON: ${(cause as Error).message}`, {
      hint: 'Save the model again with model.save().',
      cause,
    });
  }
}

/** Python writes NaN and Infinity into JSON, outside of its grammar; 1e999 is read as Infinity. */
function withoutPythonNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|NaN|Infinity/g, (token) =>
    token === 'NaN' ? 'null' : token === 'Infinity' ? '1e999' : token,
  );
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}
