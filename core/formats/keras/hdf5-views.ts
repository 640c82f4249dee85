import type { DType } from '../../ir/dtype.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import type { HdfFile } from './hdf5.ts';

/**
 * Reads the plain form of HDF5 that h5py writes by default, without a library and without copies: superblock 0 or 1,
 * version-1 object headers, symbol-table groups, contiguous little-endian datasets (HDF5 File Format Specification,
 * version 3.0). Whatever is outside of that form ends in `NotPlainError`, and the library reads the file instead.
 */
export class NotPlainError extends Error {}

/** The bytes contradict themselves. Such a file is not handed to the library, which can read on for ever. */
export class DamagedHdf5Error extends Error {}

const undefinedAddress = 0xffff_ffff_ffff_ffffn;

interface Message {
  readonly type: number;
  /** Where the message's data begin. */
  readonly at: number;
  readonly size: number;
}

interface Datatype {
  readonly class: number;
  readonly size: number;
  readonly bits: number;
}

const messageTypes = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  layout: 8,
  attribute: 12,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const;
const classes = { integer: 0, float: 1, text: 3, enumeration: 8, variable: 9 } as const;

/** @throws NotPlainError when the file's frame is not of the plain form; parts of it are checked when they are read. */
export function openPlainHdf5(bytes: Uint8Array): HdfFile {
  const file = within(() => new PlainFile(bytes));
  const links = new Map<string, ReadonlyMap<string, number>>();
  const header = (path: string): number | undefined => {
    let at: number | undefined = file.root;
    let walked = '';
    for (const part of path.split('/').filter((item) => item !== '')) {
      let members = links.get(walked);
      if (!members) {
        members = file.links(at!);
        links.set(walked, members);
      }
      at = members.get(part);
      if (at === undefined) return undefined;
      walked = `${walked}/${part}`;
    }
    return at;
  };
  const tensors = new Map<string, Tensor>();
  return {
    children(group) {
      return within(() => {
        const at = header(group);
        return at === undefined ? [] : [...file.links(at).keys()];
      });
    },
    attribute(path, name) {
      return within(() => {
        const at = header(path);
        return at === undefined ? undefined : file.attribute(at, name);
      });
    },
    dataset(path) {
      const known = tensors.get(path);
      if (known) return known;
      const tensor = within(() => {
        const at = header(path);
        return at === undefined ? undefined : file.dataset(at);
      });
      if (tensor) tensors.set(path, tensor);
      return tensor;
    },
    close() {},
  };
}

/** Reading past the end of a damaged file is a RangeError of DataView. */
function within<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError
      ? new DamagedHdf5Error('is not a whole HDF5 file: it ends too early')
      : error;
  }
}

class PlainFile {
  readonly root: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly base: number;
  private readonly headers = new Map<number, readonly Message[]>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const version = bytes[8];
    if (version > 1) throw new NotPlainError(`superblock ${version}`);
    if (bytes[13] !== 8 || bytes[14] !== 8) throw new NotPlainError('addresses are not of 8 bytes');
    // Version 1 has two more fields before the addresses.
    const at = version === 0 ? 24 : 28;
    this.base = Number(this.view.getBigUint64(at, true));
    const promised = this.base + Number(this.view.getBigUint64(at + 16, true));
    if (promised > bytes.length) {
      throw new DamagedHdf5Error(
        `is cut short: its header promises ${promised} bytes, there are ${bytes.length}`,
      );
    }
    this.root = this.address(at + 40);
  }

  /** Members of a group with the places of their object headers; empty for a dataset. */
  links(header: number): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    const messages = this.messages(header);
    if (messages.some(({ type }) => type === messageTypes.linkInfo))
      throw new NotPlainError('a new-style group');
    const table = messages.find(({ type }) => type === messageTypes.symbolTable);
    if (!table) return found;
    const heap = this.address(table.at + 8);
    this.expect(heap, 'HEAP');
    const names = this.address(heap + 24);
    this.walkTree(this.address(table.at), (node) => {
      this.expect(node, 'SNOD');
      const count = this.view.getUint16(node + 6, true);
      for (let i = 0; i < count; i++) {
        const entry = node + 8 + i * 40;
        if (this.view.getUint32(entry + 16, true) === 2) throw new NotPlainError('a symbolic link');
        const name = this.text(names + Number(this.view.getBigUint64(entry, true)));
        found.set(name, this.address(entry + 8));
      }
    });
    return found;
  }

  attribute(header: number, name: string): unknown {
    for (const { type, at } of this.messages(header)) {
      if (type === messageTypes.attributeInfo) throw new NotPlainError('attributes outside of the header');
      if (type !== messageTypes.attribute) continue;
      const version = this.bytes[at];
      const sizes = [2, 4, 6].map((offset) => this.view.getUint16(at + offset, true));
      const padded = version === 1 ? sizes.map((size) => (size + 7) & ~7) : sizes;
      const nameAt = at + (version === 3 ? 9 : 8);
      if (version !== 1 && this.bytes[at + 1] !== 0) throw new NotPlainError('a shared attribute type');
      if (this.text(nameAt) !== name) continue;
      const typeAt = nameAt + padded[0];
      const shape = this.shape(typeAt + padded[1]);
      return shape === null ? [] : this.attributeValue(typeAt, shape, typeAt + padded[1] + padded[2]);
    }
    return undefined;
  }

  dataset(header: number): Tensor | undefined {
    const messages = this.messages(header);
    const find = (type: number) => messages.find((message) => message.type === type);
    const space = find(messageTypes.dataspace);
    const datatype = find(messageTypes.datatype);
    const layout = find(messageTypes.layout);
    if (!space || !datatype || !layout) return undefined;
    const shape = this.shape(space.at) ?? [0];
    const dtype = dtypeOf(this.datatype(datatype.at));
    if (this.bytes[layout.at] !== 3) throw new NotPlainError('an old data layout');
    const kind = this.bytes[layout.at + 1];
    const size = elementCount(shape) * (this.datatype(datatype.at).size ?? 0);
    if (kind === 0) return { dtype, shape, bytes: this.bytes.subarray(layout.at + 4, layout.at + 4 + size) };
    if (kind !== 1) throw new NotPlainError('chunked data');
    if (this.view.getBigUint64(layout.at + 2, true) === undefinedAddress)
      throw new NotPlainError('data never written');
    const start = this.address(layout.at + 2);
    if (start + size > this.bytes.length || this.view.getBigUint64(layout.at + 10, true) < BigInt(size)) {
      throw damaged('data lie outside of the file');
    }
    return { dtype, shape, bytes: this.bytes.subarray(start, start + size) };
  }

  /** Messages of an object header, in all of its blocks (specification IV.A.1.a). */
  private messages(header: number): readonly Message[] {
    const known = this.headers.get(header);
    if (known) return known;
    if (this.bytes[header] !== 1) throw new NotPlainError('an object header of another version');
    const found: Message[] = [];
    const blocks = [{ at: header + 16, end: header + 16 + this.view.getUint32(header + 8, true) }];
    for (const { at: start, end } of blocks) {
      for (let at = start; at + 8 <= end; ) {
        const type = this.view.getUint16(at, true);
        const size = this.view.getUint16(at + 2, true);
        if (this.bytes[at + 4] & 2) throw new NotPlainError('a shared message');
        if (type === messageTypes.continuation) {
          const next = this.address(at + 8);
          blocks.push({ at: next, end: next + Number(this.view.getBigUint64(at + 16, true)) });
          if (blocks.length > 4096) throw damaged('a header is in too many parts');
        } else found.push({ type, at: at + 8, size });
        at += 8 + size;
      }
    }
    this.headers.set(header, found);
    return found;
  }

  /** Leaves of a version-1 B-tree of group nodes (specification III.A.1). */
  private walkTree(node: number, leaf: (at: number) => void, seen = new Set<number>()): void {
    this.expect(node, 'TREE');
    if (seen.has(node)) throw damaged('a group leads back into itself');
    seen.add(node);
    const level = this.bytes[node + 5];
    const count = this.view.getUint16(node + 6, true);
    for (let i = 0; i < count; i++) {
      const child = this.address(node + 24 + 8 + i * 16);
      if (level > 0) this.walkTree(child, leaf, seen);
      else leaf(child);
    }
  }

  /** Sizes of a dataspace; `null` for one without elements. */
  private shape(at: number): number[] | null {
    const version = this.bytes[at];
    const rank = this.bytes[at + 1];
    if (version === 2 && this.bytes[at + 3] === 2) return null;
    if (version !== 1 && version !== 2) throw new NotPlainError('a dataspace of another version');
    const first = at + (version === 1 ? 8 : 4);
    return Array.from({ length: rank }, (_, i) => Number(this.view.getBigUint64(first + i * 8, true)));
  }

  private datatype(at: number): Datatype {
    return {
      class: this.bytes[at] & 15,
      bits: this.bytes[at + 1],
      size: this.view.getUint32(at + 4, true),
    };
  }

  private attributeValue(typeAt: number, shape: readonly number[], at: number): unknown {
    const type = this.datatype(typeAt);
    const isText = type.class === classes.text || (type.class === classes.variable && (type.bits & 15) === 1);
    if (!isText) {
      if (elementCount(shape) === 0) return [];
      throw new NotPlainError('an attribute that is no text');
    }
    const texts = Array.from({ length: elementCount(shape) }, (_, i) => {
      const item = at + i * type.size;
      if (item > this.bytes.length) throw damaged('an attribute lies outside of the file');
      if (type.class === classes.text) return this.text(item, type.size);
      const length = this.view.getUint32(item, true);
      return length === 0
        ? ''
        : this.heapText(this.address(item + 4), this.view.getUint32(item + 12, true), length);
    });
    return shape.length === 0 ? texts[0] : texts;
  }

  /** An object of a global heap collection (specification III.E). */
  private heapText(collection: number, index: number, length: number): string {
    this.expect(collection, 'GCOL');
    const end = collection + Number(this.view.getBigUint64(collection + 8, true));
    for (let at = collection + 16; at + 16 <= end; ) {
      const size = Number(this.view.getBigUint64(at + 8, true));
      if (this.view.getUint16(at, true) === index) return this.text(at + 16, Math.min(length, size));
      at += 16 + Math.ceil(size / 8) * 8;
    }
    throw damaged('a text is not in its heap');
  }

  /** A text up to its NUL or to `most` bytes. */
  private text(at: number, most = 65_536): string {
    const limit = Math.min(at + most, this.bytes.length);
    const nul = this.bytes.subarray(at, limit).indexOf(0);
    return new TextDecoder().decode(this.bytes.subarray(at, nul < 0 ? limit : at + nul));
  }

  private address(at: number): number {
    const raw = this.view.getBigUint64(at, true);
    if (raw === undefinedAddress) throw new NotPlainError('a part that is not there');
    const address = this.base + Number(raw);
    if (address > this.bytes.length)
      throw damaged(`the address ${address} lies outside of its ${this.bytes.length} bytes`);
    return address;
  }

  private expect(at: number, signature: string): void {
    for (let i = 0; i < 4; i++) {
      if (this.bytes[at + i] !== signature.charCodeAt(i))
        throw damaged(`there is no ${signature} at byte ${at}`);
    }
  }
}

function damaged(what: string): DamagedHdf5Error {
  return new DamagedHdf5Error(`is not a readable HDF5 file: ${what}`);
}

function dtypeOf({ class: kind, size, bits }: Datatype): DType {
  if ((kind === classes.integer || kind === classes.float) && (bits & 1) !== 0)
    throw new NotPlainError('big-endian data');
  if (kind === classes.float && [2, 4, 8].includes(size)) return `float${size * 8}` as DType;
  if (kind === classes.integer && [1, 2, 4, 8].includes(size))
    return `${bits & 8 ? '' : 'u'}int${size * 8}` as DType;
  throw new NotPlainError('elements that are no plain numbers');
}
