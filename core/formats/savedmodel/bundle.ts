/** Tensor bundles: the checkpoint format in which a SavedModel keeps its variables (tensor_bundle.proto). */
import { open } from 'node:fs/promises';
import { WhittleError } from '../../contract/errors.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { readBytes } from '../graphdef/reader.ts';
import { type ShapeProto, shapeTable } from '../graphdef/schema.ts';
import { closedShape, dtypeOf, tensorOnBytes } from '../graphdef/tensors.ts';
import { fileInside } from '../inside-folder.ts';
import { decode, many, one, type Table } from '../protobuf/wire.ts';
import { maskedCrc32c } from './crc32c.ts';
import { readTable } from './table.ts';

interface Header {
  numShards?: number;
  endianness?: number;
}

interface Entry {
  dtype?: number;
  shape?: ShapeProto;
  shardId?: number;
  offset?: number;
  size?: number;
  /** Four bytes, masked. */
  crc32c?: Uint8Array;
  slices: Uint8Array[];
}

const headerTable: Table<Header> = { numShards: one(1, 'int'), endianness: one(2, 'int') };

const entryTable: Table<Entry> = {
  dtype: one(1, 'int'),
  shape: one(2, () => shapeTable),
  shardId: one(3, 'int'),
  offset: one(4, 'int'),
  size: one(5, 'int'),
  crc32c: one(6, 'fixed32'),
  slices: many(7, 'bytes'),
};

const maxShards = 100_000;

/** A checkpoint's index, opened; tensors are read from the data files when asked for. */
export class TensorBundle {
  private readonly folder: string;
  private readonly shards: number;
  private readonly entries: ReadonlyMap<string, Uint8Array>;

  private constructor(folder: string, shards: number, entries: ReadonlyMap<string, Uint8Array>) {
    this.folder = folder;
    this.shards = shards;
    this.entries = entries;
  }

  /** @throws WhittleError `format.damaged` when the index is not one. */
  static async open(folder: string): Promise<TensorBundle> {
    const bytes = await readBytes(`${folder}/variables.index`);
    const fail = (message: string): never => {
      throw new WhittleError(
        'format.damaged',
        `variables.index is not a whole checkpoint index: ${message}.`,
        {
          hint: 'Copy the folder again, with everything in it.',
        },
      );
    };
    try {
      const entries = readTable(bytes);
      const header = entries.get('');
      const { numShards = 1, endianness = 0 } = header ? decode(header, headerTable) : {};
      if (endianness !== 0) return fail('it is of a big-endian machine, which is not read');
      if (numShards < 1 || numShards > maxShards) return fail(`it counts ${numShards} data files`);
      return new TensorBundle(folder, numShards, entries);
    } catch (error) {
      if (error instanceof WhittleError) throw error;
      return fail(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * One tensor's bytes from its data file.
   * @throws WhittleError naming the tensor: not there, of a type that is not numbers, outside of the file.
   */
  async read(key: string, name: string): Promise<Tensor> {
    const bytes = this.entries.get(key);
    const fail = (message: string): never => {
      const sentence = `The variable "${name}" cannot be read: ${message}.`;
      throw new WhittleError('format.damaged', sentence, {
        hint: 'Copy the folder again, with everything in it.',
      });
    };
    if (!bytes) return fail(`"${key}" is not in the checkpoint`);
    const entry = decode(bytes, entryTable);
    if (entry.slices.length > 0)
      return fail('it is stored in slices (a partitioned variable), which are not read');
    const dtype = dtypeOf(name, entry.dtype);
    const shape = closedShape(name, entry.shape);
    const { shardId = 0, offset = 0, size = 0 } = entry;
    if (shardId < 0 || shardId >= this.shards) return fail(`it is in data file ${shardId} of ${this.shards}`);
    const file = await fileInside(this.folder, this.shardName(shardId)).catch((error: Error) =>
      fail(error.message),
    );
    if (offset < 0 || size < 0 || offset + size > file.size) {
      return fail(`bytes ${offset} to ${offset + size} are asked of a data file that has ${file.size}`);
    }
    const data = await readRange(file.path, offset, size);
    if (entry.crc32c && maskedCrc32c(data) !== uint32(entry.crc32c)) {
      return fail('its checksum does not fit, so the data file is damaged');
    }
    return tensorOnBytes(name, dtype, shape, data);
  }

  private shardName(index: number): string {
    const padded = (number: number) => String(number).padStart(5, '0');
    return `variables.data-${padded(index)}-of-${padded(this.shards)}`;
  }
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}

async function readRange(path: string, offset: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, 2 ** 30), offset + at);
      if (bytesRead === 0) throw new Error(`${path} ended early`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}
