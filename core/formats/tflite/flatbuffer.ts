import { ByteBuffer } from 'flatbuffers';
import { WhittleError } from '../../contract/errors.ts';
import { type FileContent, joinParts } from '../file-content.ts';
import { type Draft, fileIdentifier, type Row, type TableName, unions } from './schema.ts';
import { type Fields, fieldTables, noFields, scalarBytes, TableEncoder } from './table-encoder.ts';

type AnyRow = Record<string, unknown>;

/** The table limit of the flatbuffers verifier, which the TFLite runtime applies as well. */
const maxTables = 1_000_000;

/**
 * Reads a TFLite file's tables. Every offset, table and vector is checked against the file before it is followed, as
 * the flatbuffers verifier does, and what is decoded is bounded by the file's size, so that a hostile file ends early.
 * Byte vectors are views on `bytes`. Offsets of the format only point forward, which rules cycles out.
 * @throws WhittleError `format.damaged` naming the place.
 */
export function decodeModel(bytes: Uint8Array): Row<'Model'> {
  return new Decoder(bytes).root('Model', fileIdentifier) as Row<'Model'>;
}

/** Another file of the same kind of format, by its root table and identifier. @throws as `decodeModel` */
export function decodeTable<T extends TableName>(bytes: Uint8Array, table: T, identifier: string): Row<T> {
  return new Decoder(bytes).root(table, identifier) as Row<T>;
}

class Decoder {
  private readonly buffer: ByteBuffer;
  private readonly size: number;
  private tablesLeft = maxTables;
  /** Of vectors that writers share, an honest file repeats no more than what else it holds; the slack is for small ones. */
  private elementsLeft: number;

  constructor(bytes: Uint8Array) {
    this.buffer = new ByteBuffer(bytes);
    this.size = bytes.byteLength;
    this.elementsLeft = 2 * this.size + 65_536;
  }

  root(table: TableName, expected: string): AnyRow {
    this.need(0, 8, 'the header');
    const identifier = String.fromCharCode(...this.buffer.bytes().subarray(4, 8));
    if (identifier !== expected) {
      throw damaged(`it does not carry the identifier "${expected}"`);
    }
    return this.table(this.buffer.readUint32(0), fieldTables[table], table);
  }

  private need(at: number, length: number, what: string): void {
    if (!(at >= 0 && at + length <= this.size)) {
      throw damaged(`${what} points to byte ${at}, outside of the ${this.size} bytes of the file`);
    }
  }

  private table(at: number, fields: Fields, path: string): AnyRow {
    if (--this.tablesLeft < 0) throw damaged(`it has more than ${maxTables} tables`);
    this.need(at, 4, path);
    const vtable = at - this.buffer.readInt32(at);
    this.need(vtable, 4, `the field list of ${path}`);
    const vtableBytes = this.buffer.readUint16(vtable);
    const tableBytes = this.buffer.readUint16(vtable + 2);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0 || tableBytes < 4) {
      throw damaged(`the field list of ${path} is malformed`);
    }
    this.need(vtable, vtableBytes, `the field list of ${path}`);
    this.need(at, tableBytes, path);
    const row: AnyRow = {};
    for (const [name, [id, kind, fallback]] of Object.entries(fields)) {
      const slot = 4 + 2 * id;
      const offset = slot < vtableBytes ? this.buffer.readUint16(vtable + slot) : 0;
      if (offset === 0) {
        row[name] = absent(kind, fallback);
        continue;
      }
      const width = scalarBytes[kind] ?? 4;
      if (offset < 4 || offset + width > tableBytes) {
        throw damaged(`${path}.${name} lies outside of its table`);
      }
      row[name] = this.value(at + offset, kind, `${path}.${name}`, row[`${name}_type`]);
    }
    return row;
  }

  private value(at: number, kind: string, path: string, unionType: unknown): unknown {
    if (kind in scalarBytes) return this.scalar(at, kind);
    const target = at + this.buffer.readUint32(at);
    if (target === at) throw damaged(`${path} points to itself`);
    if (kind === 'string') return this.text(target, path);
    if (kind in unions) {
      return this.table(target, fieldTables[unions[kind][unionType as number]] ?? noFields, path);
    }
    if (!kind.startsWith('[')) return this.table(target, fieldTables[kind], path);
    return this.vector(target, kind.slice(1, -1), path);
  }

  private vector(at: number, element: string, path: string): unknown {
    this.need(at, 4, path);
    const count = this.buffer.readUint32(at);
    const width = scalarBytes[element] ?? 4;
    this.need(at + 4, count * width, path);
    if (element === 'u8') return this.buffer.bytes().subarray(at + 4, at + 4 + count);
    this.spend(count, path);
    const out = new Array<unknown>(count);
    for (let i = 0; i < count; i++) {
      const slot = at + 4 + i * width;
      out[i] =
        element in scalarBytes
          ? this.scalar(slot, element)
          : this.value(slot, element, `${path}[${i}]`, undefined);
    }
    return out;
  }

  private text(at: number, path: string): string {
    this.need(at, 4, path);
    const length = this.buffer.readUint32(at);
    this.need(at + 4, length, path);
    this.spend(length, path);
    return new TextDecoder().decode(this.buffer.bytes().subarray(at + 4, at + 4 + length));
  }

  private scalar(at: number, kind: string): number | boolean {
    switch (kind) {
      case 'bool':
        return this.buffer.readUint8(at) !== 0;
      case 'i8':
        return this.buffer.readInt8(at);
      case 'u8':
        return this.buffer.readUint8(at);
      case 'u16':
        return this.buffer.readUint16(at);
      case 'i32':
        return this.buffer.readInt32(at);
      case 'u32':
        return this.buffer.readUint32(at);
      case 'i64':
        return Number(this.buffer.readInt64(at));
      case 'u64':
        return Number(this.buffer.readUint64(at));
      default:
        return this.buffer.readFloat32(at);
    }
  }

  private spend(count: number, path: string): void {
    this.elementsLeft -= count;
    if (this.elementsLeft < 0) throw damaged(`${path} repeats more data than the file holds`);
  }
}

function absent(kind: string, fallback: number | undefined): unknown {
  if (!(kind in scalarBytes)) return undefined;
  return kind === 'bool' ? fallback === 1 : (fallback ?? 0);
}

function damaged(detail: string): WhittleError {
  return new WhittleError('format.damaged', `The TFLite file is damaged: ${detail}.`, {
    hint: 'Copy or download the file again.',
  });
}

/** What a buffer of the file holds, asked for when its turn comes and used at once. */
export interface BufferContent {
  readonly byteLength: number;
  bytes(): Uint8Array;
}

const noBytes = new Uint8Array(0);
const dataAlignment = 16;
const lengthBytes = 4;

/** Writes a TFLite file whose buffers are rows of the model, whole. @throws as `encodeParts` */
export function encodeModel(model: Draft<'Model'>): Uint8Array {
  const contents = (model.buffers ?? []).map(({ data = noBytes }) => ({
    byteLength: data.byteLength,
    bytes: () => data,
  }));
  return joinParts(encodeParts(model, contents));
}

/** Beyond this, the format's 32-bit offsets do not reach the data. */
const offsetLimit = 0x7fff_0000;
/** In a large file, buffers up to this size stay among the tables, where every reader looks for them. */
const smallBuffer = 1024;

/**
 * Writes a TFLite file: its tables, and behind them the buffers' data, which start at multiples of 16 bytes. Fields
 * that equal their default are left out, and what is equal stands once. The same draft gives the same bytes.
 * A file above 2 GiB gets the schema's large form, in which a buffer names the place of its data by 64 bits.
 * @param contents of the buffers, which the draft leaves out
 * @param options.large the large form whatever the size
 */
export function encodeParts(
  model: Draft<'Model'>,
  contents: readonly BufferContent[],
  options: { large?: boolean } = {},
): FileContent {
  let end = 0;
  const places = contents.map(({ byteLength }) => {
    if (byteLength === 0) return undefined;
    const place = aligned(end + lengthBytes) - lengthBytes;
    end = place + lengthBytes + byteLength;
    return place;
  });
  if (options.large || end > offsetLimit) return encodeLarge(model, contents);
  const encoder = new TableEncoder(dataAlignment);
  // Offsets count back from the end of the tables: the data lies at negative ones.
  const buffers = places.map((place) =>
    encoder.table('Buffer', {}, place === undefined ? {} : { data: -place }),
  );
  const head = finishTables(encoder, model, buffers);
  return { sizeBytes: head.byteLength + end, parts: () => fileParts(head, contents, places) };
}

function finishTables(encoder: TableEncoder, model: Draft<'Model'>, buffers: readonly number[]): Uint8Array {
  return encoder.finish(
    encoder.table('Model', { ...model, buffers: undefined }, { buffers }),
    fileIdentifier,
  );
}

/** Buffers with `offset` and `size` (schema.fbs, Buffer): the data is no part of the flatbuffer. */
function encodeLarge(model: Draft<'Model'>, contents: readonly BufferContent[]): FileContent {
  const isOutside = ({ byteLength }: BufferContent) => byteLength > smallBuffer;
  const tables = (headBytes: number): Uint8Array => {
    const encoder = new TableEncoder(dataAlignment);
    let end = headBytes;
    const buffers = contents.map((content) => {
      if (!isOutside(content)) {
        const data = content.byteLength > 0 ? content.bytes().slice() : undefined;
        return encoder.table('Buffer', { data });
      }
      const offset = aligned(end);
      end = offset + content.byteLength;
      return encoder.table('Buffer', { offset, size: content.byteLength });
    });
    return finishTables(encoder, model, buffers);
  };
  // Places depend on the length of the tables, which does not depend on places.
  const head = tables(tables(dataAlignment).byteLength);
  const outside = contents.filter(isOutside);
  let sizeBytes = head.byteLength;
  for (const { byteLength } of outside) sizeBytes = aligned(sizeBytes) + byteLength;
  return { sizeBytes, parts: () => largeParts(head, outside) };
}

function aligned(at: number): number {
  return Math.ceil(at / dataAlignment) * dataAlignment;
}

function* largeParts(head: Uint8Array, outside: readonly BufferContent[]): Generator<Uint8Array> {
  yield head;
  let end = head.byteLength;
  for (const content of outside) {
    const place = aligned(end);
    if (place > end) yield new Uint8Array(place - end);
    yield content.bytes();
    end = place + content.byteLength;
  }
}

function* fileParts(
  head: Uint8Array,
  contents: readonly BufferContent[],
  places: readonly (number | undefined)[],
): Generator<Uint8Array> {
  yield head;
  let end = 0;
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    const { byteLength } = contents[i];
    const prefix = new Uint8Array(place - end + lengthBytes);
    new DataView(prefix.buffer).setUint32(place - end, byteLength, true);
    yield prefix;
    yield contents[i].bytes();
    end = place + lengthBytes + byteLength;
  }
}
