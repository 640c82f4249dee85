import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteView } from './flatbuffer.ts';

const pageBytes = 4096;
/** Bytes of the next page that each page has too, so that every number lies within one. */
const overlap = 7;

/**
 * Numbers of a file on disk, of which only the pages that are looked at are read: a model's tables are small, its
 * weights are not. As with a `DataView`, what lies outside is a RangeError. Close it after use.
 */
export class PagedFile implements ByteView {
  readonly byteLength: number;
  private readonly file: number;
  private readonly pages = new Map<number, DataView>();

  /** @throws what the system says of the file */
  constructor(path: string) {
    this.file = openSync(path, 'r');
    this.byteLength = fstatSync(this.file).size;
  }

  close(): void {
    closeSync(this.file);
  }

  getUint16(at: number, littleEndian?: boolean): number {
    return this.pageOf(at).getUint16(at % pageBytes, littleEndian);
  }

  getInt32(at: number, littleEndian?: boolean): number {
    return this.pageOf(at).getInt32(at % pageBytes, littleEndian);
  }

  getUint32(at: number, littleEndian?: boolean): number {
    return this.pageOf(at).getUint32(at % pageBytes, littleEndian);
  }

  getFloat32(at: number, littleEndian?: boolean): number {
    return this.pageOf(at).getFloat32(at % pageBytes, littleEndian);
  }

  getBigInt64(at: number, littleEndian?: boolean): bigint {
    return this.pageOf(at).getBigInt64(at % pageBytes, littleEndian);
  }

  getBigUint64(at: number, littleEndian?: boolean): bigint {
    return this.pageOf(at).getBigUint64(at % pageBytes, littleEndian);
  }

  private pageOf(at: number): DataView {
    if (at < 0 || at >= this.byteLength)
      throw new RangeError(`byte ${at} is looked for in a file of ${this.byteLength}`);
    const page = Math.floor(at / pageBytes);
    const known = this.pages.get(page);
    if (known) return known;
    const start = page * pageBytes;
    const bytes = new Uint8Array(Math.min(pageBytes + overlap, this.byteLength - start));
    for (let done = 0; done < bytes.byteLength; ) {
      const count = readSync(this.file, bytes, done, bytes.byteLength - done, start + done);
      if (count === 0) throw new Error('it became shorter while it was read');
      done += count;
    }
    const view = new DataView(bytes.buffer);
    this.pages.set(page, view);
    return view;
  }
}
