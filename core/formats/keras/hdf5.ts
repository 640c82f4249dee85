import { WhittleError } from '../../contract/errors.ts';
import type { DType } from '../../ir/dtype.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import { DamagedHdf5Error, NotPlainError, openPlainHdf5 } from './hdf5-views.ts';

/** The part of HDF5 that Keras files use: groups, attributes and plain numeric datasets. */
export interface HdfFile {
  /** Names of a group's members; empty when there is no such group. */
  children(group: string): readonly string[];
  /** An attribute as text, texts or numbers; `undefined` when it is not there. */
  attribute(path: string, name: string): unknown;
  /** A dataset's elements, read on the first request and shared afterwards; `undefined` when it is not there. */
  dataset(path: string): Tensor | undefined;
  close(): void;
}

interface HdfMetadata {
  readonly shape: readonly number[] | null;
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
}

const integerClass = 0;
const floatClass = 1;
const enumClass = 8;

let opened = 0;

/**
 * Opens an HDF5 file held in memory and hands it to `use`, by the quick way for plain files, else by the library.
 * `use` may run a second time when the quick way meets something that only the library can read.
 * @throws WhittleError `format.damaged` when the bytes are not a whole HDF5 file.
 */
export async function withHdf5<T>(bytes: Uint8Array, file: string, use: (hdf5: HdfFile) => T): Promise<T> {
  try {
    return use(openPlainHdf5(bytes));
  } catch (error) {
    if (error instanceof DamagedHdf5Error) {
      throw new WhittleError('format.damaged', `${file} ${error.message}`, {
        hint: 'Copy or download the file again, or save the model again with model.save().',
        cause: error,
      });
    }
    if (!(error instanceof NotPlainError)) throw error;
  }
  const hdf5 = await openByLibrary(bytes, file);
  try {
    return use(hdf5);
  } finally {
    hdf5.close();
  }
}

/** Datasets are copied once, out of the library's memory, when they are asked for. */
export async function openByLibrary(bytes: Uint8Array, file: string): Promise<HdfFile> {
  const { default: h5wasm } = await import('h5wasm');
  const library = await h5wasm.ready;
  library.activate_throwing_error_handler();
  const place = `/whittle-${opened++}.h5`;
  // The library's file system keeps these very bytes instead of a copy; its types leave the option out.
  library.FS.writeFile(place, bytes, { canOwn: true } as { flags?: string });

  let id: bigint;
  try {
    id = new h5wasm.File(place, 'r').file_id;
  } catch (cause) {
    library.FS.unlink(place);
    throw damaged(file, bytes, cause);
  }

  const guard = <T>(what: string, read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      throw new WhittleError('format.damaged', `${file}: ${what} cannot be read: ${innermost(cause)}`, {
        hint: 'The HDF5 file is damaged. Save or copy it again.',
        cause,
      });
    }
  };
  const members = new Map<string, readonly string[]>();
  const children = (group: string): readonly string[] => {
    const known = members.get(group);
    if (known) return known;
    const isGroup = group === '/' || (exists(group) && typeOf(group) === library.H5G_GROUP);
    const names = isGroup ? guard(`group ${group}`, () => library.get_names(id, group, false)) : [];
    members.set(group, names);
    return names;
  };
  const exists = (path: string): boolean => {
    const cut = path.lastIndexOf('/');
    return children(cut <= 0 ? '/' : path.slice(0, cut)).includes(path.slice(cut + 1));
  };
  const typeOf = (path: string): number => guard(path, () => library.get_type(id, path));

  const tensors = new Map<string, Tensor>();
  return {
    children,
    attribute(path, name) {
      if (path !== '/' && !exists(path)) return undefined;
      return guard(`attribute ${name} of ${path}`, () => {
        if (!library.get_attribute_names(id, path).includes(name)) return undefined;
        // The library reads as many elements as a damaged header promises, for hours.
        const { shape, size }: HdfMetadata = library.get_attribute_metadata(id, path, name);
        if (elementCount(shape ?? []) * size > bytes.byteLength) {
          throw new Error(`it claims shape (${shape?.join(', ')}), more than the file holds`);
        }
        return new h5wasm.Group(id, path).get_attribute(name, false);
      });
    },
    dataset(path) {
      const known = tensors.get(path);
      if (known) return known;
      if (!exists(path) || typeOf(path) !== library.H5G_DATASET) return undefined;
      const tensor = guard(`dataset ${path}`, () => {
        const metadata: HdfMetadata = library.get_dataset_metadata(id, path);
        const shape = metadata.shape ?? [];
        const sizeBytes = elementCount(shape) * metadata.size;
        const pointer = library._malloc(Math.max(sizeBytes, 1));
        try {
          library.get_dataset_data(id, path, null, null, null, BigInt(pointer));
          const data = library.HEAPU8.slice(pointer, pointer + sizeBytes);
          if (!metadata.littleEndian) reverseBytes(data, metadata.size);
          return { dtype: dtypeOf(metadata), shape, bytes: data };
        } finally {
          library._free(pointer);
        }
      });
      tensors.set(path, tensor);
      return tensor;
    },
    close() {
      library.close_file(id);
      library.FS.unlink(place);
    },
  };
}

function dtypeOf({ type, size, signed }: HdfMetadata): DType {
  if (type === floatClass && size === 2) return 'float16';
  if (type === floatClass && size === 4) return 'float32';
  if (type === floatClass && size === 8) return 'float64';
  if (type === enumClass && size === 1) return 'bool';
  if (type === integerClass && [1, 2, 4, 8].includes(size))
    return `${signed ? '' : 'u'}int${size * 8}` as DType;
  throw new Error(`elements of HDF5 class ${type} with ${size} bytes are not numbers`);
}

function reverseBytes(data: Uint8Array, size: number): void {
  for (let at = 0; at < data.length; at += size) data.subarray(at, at + size).reverse();
}

function damaged(file: string, bytes: Uint8Array, cause: unknown): WhittleError {
  const reason = innermost(cause);
  const cut = /stored_eof = (\d+)/.exec(reason);
  if (cut) {
    return new WhittleError(
      'format.damaged',
      `${file} is cut short: its header promises ${cut[1]} bytes, there are ${bytes.byteLength}`,
      { hint: 'Copy or download the file again.', cause },
    );
  }
  return new WhittleError('format.damaged', `${file} is not a readable HDF5 file: ${reason}`, {
    hint: 'Save the model again with model.save().',
    cause,
  });
}

/** The last entry of HDF5's error stack, which names the real cause. */
function innermost(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const entries = [...text.matchAll(/\(\): (.+)/g)];
  return entries.at(-1)?.[1].trim() ?? text.split('\n', 1)[0];
}
