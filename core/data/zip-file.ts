import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { WhittleError } from '../contract/errors.ts';

export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly headerOffset: number;
}

/** A zip archive on disk of which single entries are read, in part or as a stream, without loading the rest. */
export interface ZipFile {
  readonly path: string;
  readonly entries: readonly ZipEntry[];
  /** Where a stored entry's bytes begin in the file. */
  dataOffset(entry: ZipEntry): Promise<number>;
  /** The entry's bytes in chunks, inflated; ends with an error when there are more than the directory says. */
  stream(entry: ZipEntry): AsyncGenerator<Uint8Array>;
  /** Random access to the raw file. @throws WhittleError when the file ends before. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** An archive of samples has one entry per array; a directory beyond this is an attack or not ours to read. */
const directoryLimit = 16 * 1024 * 1024;

/**
 * Opens a zip archive (PKWARE APPNOTE 6.3, with zip64). Only the directory is read.
 * @throws WhittleError `data.unreadable` when it is damaged, encrypted or split.
 */
export async function openZip(path: string): Promise<ZipFile> {
  const file = await open(path, 'r');
  try {
    const size = (await file.stat()).size;
    const readAt = (offset: number, length: number) => readExactly(file, path, offset, length);
    const entries = await readDirectory(path, size, readAt);
    const dataOffset = async (entry: ZipEntry): Promise<number> => {
      const header = viewOf(await readAt(entry.headerOffset, 30));
      if (header.getUint32(0, true) !== localSignature)
        throw damaged(path, `the entry ${entry.name} is not there`);
      return entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    };
    return {
      path,
      entries,
      dataOffset,
      readAt,
      async *stream(entry) {
        const start = await dataOffset(entry);
        const raw = readChunks(readAt, start, entry.compressedBytes);
        const chunks: AsyncIterable<Uint8Array> = entry.method === 0 ? raw : inflate(raw);
        let total = 0;
        try {
          for await (const chunk of chunks) {
            total += chunk.length;
            if (total > entry.sizeBytes) {
              throw damaged(path, `${entry.name} holds more than the ${entry.sizeBytes} bytes it declares`);
            }
            yield chunk;
          }
        } catch (error) {
          if (error instanceof WhittleError) throw error;
          throw damaged(path, `${entry.name} cannot be inflated (${(error as Error).message})`);
        }
        if (total !== entry.sizeBytes) {
          throw damaged(path, `${entry.name} holds ${total} of the ${entry.sizeBytes} bytes it declares`);
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readDirectory(
  path: string,
  size: number,
  readAt: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<ZipEntry[]> {
  const tailLength = Math.min(size, 22 + 65_535);
  const tailStart = size - tailLength;
  const tail = viewOf(await readAt(tailStart, tailLength));
  let end = tailLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== endSignature) end--;
  if (end < 0) throw damaged(path, 'it has no directory at its end; it may be cut off');

  let count = tail.getUint16(end + 10, true);
  let length = tail.getUint32(end + 12, true);
  let offset = tail.getUint32(end + 16, true);
  if ((count === 0xffff || offset === 0xffffffff || length === 0xffffffff) && end >= 20) {
    if (tail.getUint32(end - 20, true) === locator64Signature) {
      const end64 = viewOf(await readAt(safeNumber(path, tail.getBigUint64(end - 12, true)), 56));
      if (end64.getUint32(0, true) !== end64Signature)
        throw damaged(path, 'its zip64 directory is not there');
      count = safeNumber(path, end64.getBigUint64(32, true));
      length = safeNumber(path, end64.getBigUint64(40, true));
      offset = safeNumber(path, end64.getBigUint64(48, true));
    }
  }
  if (length > directoryLimit) throw damaged(path, `its directory claims ${length} bytes`);
  const directory = await readAt(offset, length);
  return parseEntries(path, directory, count);
}

function parseEntries(path: string, directory: Uint8Array, count: number): ZipEntry[] {
  const view = viewOf(directory);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== centralSignature) {
      throw damaged(path, `its directory ends after ${i} of ${count} entries`);
    }
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const commentLength = view.getUint16(at + 32, true);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
    const extraStart = at + 46 + nameLength;
    if (extraStart + extraLength > directory.length) throw damaged(path, 'its directory is cut off');
    const wide = zip64Fields(view, extraStart, extraLength);
    const take = (value: number): number =>
      value === 0xffffffff && wide.length > 0 ? safeNumber(path, wide.shift()!) : value;
    const sizeBytes = take(view.getUint32(at + 24, true));
    const compressedBytes = take(view.getUint32(at + 20, true));
    const headerOffset = take(view.getUint32(at + 42, true));
    if (flags & 1) throw damaged(path, `${name} is encrypted`);
    if (method !== 0 && method !== 8)
      throw damaged(path, `${name} is packed with method ${method}, known are 0 and 8`);
    if (method === 0 && sizeBytes !== compressedBytes) throw damaged(path, `the sizes of ${name} disagree`);
    entries.push({ name, method, compressedBytes, sizeBytes, headerOffset });
    at = extraStart + extraLength + commentLength;
  }
  return entries;
}

/** The 64-bit values of the zip64 extra field (id 1), in their order. */
function zip64Fields(view: DataView, start: number, length: number): bigint[] {
  const end = start + length;
  for (let at = start; at + 4 <= end; ) {
    const id = view.getUint16(at, true);
    const size = view.getUint16(at + 2, true);
    if (id === 1) {
      const values: bigint[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + size, end); i += 8)
        values.push(view.getBigUint64(i, true));
      return values;
    }
    at += 4 + size;
  }
  return [];
}

async function* readChunks(
  readAt: (offset: number, length: number) => Promise<Uint8Array>,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const step = 256 * 1024;
  for (let at = 0; at < length; at += step) yield readAt(start + at, Math.min(step, length - at));
}

function inflate(raw: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  const stream = createInflateRaw();
  // An error of either end reaches the one who iterates the stream; there is nothing more to do about it here.
  pipeline(Readable.from(raw), stream, () => {});
  return stream;
}

async function readExactly(
  file: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw damaged(path, 'it ends too early; it may be cut off');
    read += bytesRead;
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safeNumber(path: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(path, 'it claims an impossible size');
  return Number(value);
}

function damaged(path: string, why: string): WhittleError {
  return new WhittleError('data.unreadable', `${path} cannot be read as a zip archive: ${why}.`);
}
