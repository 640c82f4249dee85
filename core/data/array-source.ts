import { open } from 'node:fs/promises';
import { WhittleError } from '../contract/errors.ts';
import { byteLength, type DType } from '../ir/dtype.ts';
import { contiguous } from '../ir/tensor.ts';
import { type NpyHeader, npyHeaderLimit, parseNpyHeader, swapBytes } from './npy.ts';
import type { ZipEntry, ZipFile } from './zip-file.ts';

/** An array on disk read row by row along its first axis. */
export interface ArraySource {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The little-endian, row-major bytes of row `index`. */
  row(index: number): Promise<Uint8Array>;
  /** All elements. @throws WhittleError when there are too many to hold. */
  all(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Arrays that cannot be read in place are kept in memory up to this size; larger ones are streamed at each pass. */
const memoryLimit = 64 * 1024 * 1024;
/** What is read in place is read about so much at a time: rows are small and asked for in order. */
const blockBytes = 256 * 1024;

/** Opens a .npy file; rows are read where they lie. @throws WhittleError `data.unreadable`. */
export async function openNpyFile(path: string, name: string): Promise<ArraySource> {
  const file = await open(path, 'r');
  const readAt = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw cutOff(path);
    return bytes;
  };
  try {
    const { size } = await file.stat();
    const header = parseNpyHeader(await readAt(0, Math.min(size, npyHeaderLimit + 12)), path);
    if (size - header.dataOffset < header.dataBytes) throw cutOff(path);
    return sourceOf(
      name,
      header,
      (offset, length) => readAt(header.dataOffset + offset, length),
      () => file.close(),
      { inPlace: true },
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens an entry of an .npz. Stored entries are read in place, deflated ones streamed. The zip stays open. */
export async function openNpzEntry(zip: ZipFile, entry: ZipEntry, name: string): Promise<ArraySource> {
  const label = `${zip.path}: ${entry.name}`;
  const head = await readHead(zip, entry, npyHeaderLimit + 12);
  const header = parseNpyHeader(head, label);
  if (header.dataOffset + header.dataBytes !== entry.sizeBytes) {
    throw new WhittleError(
      'data.unreadable',
      `${label} declares shape (${header.shape.join(', ')}) of ${header.dtype}, ${header.dataBytes} bytes, but holds ` +
        `${entry.sizeBytes - header.dataOffset} bytes.`,
    );
  }
  const close = async (): Promise<void> => {};
  if (entry.method === 0) {
    const start = (await zip.dataOffset(entry)) + header.dataOffset;
    const read: Read = (offset, length) => zip.readAt(start + offset, length);
    return sourceOf(name, header, read, close, { inPlace: true });
  }
  const stream = new ForwardReader(() => zip.stream(entry), header.dataOffset);
  return sourceOf(
    name,
    header,
    (offset, length) => stream.read(offset, length),
    () => stream.close(),
    { inPlace: false },
  );
}

async function readHead(zip: ZipFile, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  const wanted = Math.min(limit, entry.sizeBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of zip.stream(entry)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= wanted) break;
  }
  return Buffer.concat(chunks).subarray(0, wanted);
}

type Read = (offset: number, length: number) => Promise<Uint8Array>;

function sourceOf(
  name: string,
  header: NpyHeader,
  read: Read,
  close: () => Promise<void>,
  { inPlace }: { inPlace: boolean },
): ArraySource {
  const rowBytes = byteLength(
    header.dtype,
    header.shape.slice(1).reduce((count, dim) => count * dim, 1),
  );
  const native = (bytes: Uint8Array): Uint8Array =>
    header.bigEndian ? swapBytes(bytes, header.dtype) : bytes;
  const rowsPerBlock = inPlace ? Math.max(1, Math.floor(blockBytes / Math.max(rowBytes, 1))) : 1;
  const block = { first: -1, bytes: undefined as Promise<Uint8Array> | undefined };
  let cached: Promise<Uint8Array> | undefined;
  const loadAll = async (): Promise<Uint8Array> => {
    const bytes = native(await read(0, header.dataBytes));
    if (!header.fortran) return bytes;
    const strides: number[] = [];
    let step = 1;
    for (const dim of header.shape) {
      strides.push(step);
      step *= dim;
    }
    return contiguous({ dtype: header.dtype, shape: header.shape, bytes, strides }).bytes;
  };
  const all = (): Promise<Uint8Array> => {
    if (header.dataBytes > memoryLimit) {
      throw new WhittleError(
        'data.unreadable',
        `${name} takes ${header.dataBytes} bytes, more than the ${memoryLimit} that are held in memory.`,
        { hint: header.fortran ? 'Save it row by row: np.save(file, np.ascontiguousarray(x)).' : undefined },
      );
    }
    cached ??= loadAll();
    return cached;
  };
  return {
    name,
    dtype: header.dtype,
    shape: header.shape,
    all,
    async row(index) {
      if (header.fortran || (!inPlace && header.dataBytes <= memoryLimit)) {
        const bytes = await all();
        return bytes.subarray(index * rowBytes, (index + 1) * rowBytes);
      }
      const first = index - (index % rowsPerBlock);
      if (!block.bytes || block.first !== first) {
        const from = first * rowBytes;
        block.first = first;
        block.bytes = read(from, Math.min(rowsPerBlock * rowBytes, header.dataBytes - from)).then(native);
      }
      const bytes = await block.bytes;
      return bytes.subarray((index - first) * rowBytes, (index - first + 1) * rowBytes);
    },
    close,
  };
}

/** Reads ranges of a stream in constant memory: going forward continues, going back begins again. */
class ForwardReader {
  private readonly begin: () => AsyncGenerator<Uint8Array>;
  private readonly skip: number;
  private chunks: AsyncGenerator<Uint8Array> | undefined;
  private rest: Uint8Array = new Uint8Array(0);
  private position = 0;
  /** Reads happen one after another, whoever asks. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(begin: () => AsyncGenerator<Uint8Array>, skip: number) {
    this.begin = begin;
    this.skip = skip;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const result = this.turn.then(() => this.readNow(this.skip + offset, length));
    this.turn = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    await this.turn;
    await this.chunks?.return(undefined);
  }

  private async readNow(from: number, length: number): Promise<Uint8Array> {
    if (!this.chunks || from < this.position) {
      await this.chunks?.return(undefined);
      this.chunks = this.begin();
      this.rest = new Uint8Array(0);
      this.position = 0;
    }
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.rest.length === 0) {
        const next = await this.chunks.next();
        if (next.done) throw cutOff('the array');
        this.rest = next.value;
      }
      const ahead = Math.min(this.rest.length, Math.max(0, from - this.position));
      const taken = Math.min(this.rest.length - ahead, length - filled);
      out.set(this.rest.subarray(ahead, ahead + taken), filled);
      filled += taken;
      this.position += ahead + taken;
      this.rest = this.rest.subarray(ahead + taken);
    }
    return out;
  }
}

function cutOff(path: string): WhittleError {
  return new WhittleError('data.unreadable', `${path} ends before its last element; it may be cut off.`);
}
