/** The table format of LevelDB, in which TensorFlow keeps the index of a checkpoint (leveldb, doc/table_format.md). */
import { unsnappy } from './snappy.ts';

const magic = 0xdb4775248b80fb57n;
const footerLength = 48;
/** A block's compression type and checksum follow it. */
const trailerLength = 5;
const maxEntries = 4_000_000;

/**
 * Every entry of a table, by key (as Latin-1 text).
 * @throws Error, as the end of a sentence, when the bytes are no such table.
 */
export function readTable(bytes: Uint8Array): Map<string, Uint8Array> {
  if (bytes.length < footerLength) throw new Error('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getBigUint64(bytes.length - 8, true) !== magic)
    throw new Error('it does not end as such a file does');
  const footer = new Cursor(bytes.subarray(bytes.length - footerLength, bytes.length - 8));
  // The handle of the meta index, which TensorFlow leaves empty.
  footer.varint();
  footer.varint();
  const entries = new Map<string, Uint8Array>();
  for (const [, handle] of blockEntries(blockAt(bytes, footer))) {
    for (const [key, value] of blockEntries(blockAt(bytes, new Cursor(handle)))) {
      if (entries.size >= maxEntries) throw new Error('it has too many entries');
      entries.set(key, value);
    }
  }
  return entries;
}

function blockAt(bytes: Uint8Array, handle: Cursor): Uint8Array {
  const offset = handle.varint();
  const size = handle.varint();
  if (offset + size + trailerLength > bytes.length) {
    throw new Error(`a block at ${offset} of ${size} bytes lies outside of it`);
  }
  const block = bytes.subarray(offset, offset + size);
  const compression = bytes[offset + size];
  if (compression === 0) return block;
  if (compression === 1) return unsnappy(block);
  throw new Error(`a block is compressed by method ${compression}`);
}

/** Entries share the beginning of their key with the entry before; restart points only serve searching. */
function* blockEntries(block: Uint8Array): Generator<[string, Uint8Array]> {
  if (block.length < 4) throw new Error('a block is too short');
  const restarts = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(
    block.length - 4,
    true,
  );
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw new Error('a block ends within itself');
  const cursor = new Cursor(block.subarray(0, end));
  let key = '';
  while (!cursor.done) {
    const shared = cursor.varint();
    const added = cursor.varint();
    const length = cursor.varint();
    if (shared > key.length) throw new Error('a key begins with more than there was before it');
    key = key.slice(0, shared) + latin1(cursor.take(added));
    yield [key, cursor.take(length)];
  }
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Reads varints and runs of bytes, never beyond the end. */
class Cursor {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 50; shift += 7) {
      if (this.done) break;
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number in it is cut off');
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new Error('an entry in it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
