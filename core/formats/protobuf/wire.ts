/**
 * Protobuf messages as tables. A table names each field of a message with its id and kind; `decode` and `encode` walk
 * the wire with it (protobuf encoding, proto2 rules). Byte fields stay views on the file; what a table does not name
 * is skipped. Every length is checked against the bytes that are there, so a hostile file costs at most its own size.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type FileContent, joinParts } from '../file-content.ts';

/** `fixed32` and `fixed64` are packed numbers kept as little-endian bytes; `varints` are packed 64-bit integers. */
type Scalar = 'int' | 'float' | 'string' | 'bytes' | 'fixed32' | 'fixed64' | 'varints';

export interface Field {
  readonly id: number;
  readonly kind: Scalar | (() => object);
  readonly repeated: boolean;
}

export type Table<T> = { readonly [K in keyof Required<T>]: Field };

export function one(id: number, kind: Field['kind']): Field {
  return { id, kind, repeated: false };
}

export function many(id: number, kind: Field['kind']): Field {
  return { id, kind, repeated: true };
}

/** Messages nested deeper than this are refused: no real model comes near it. */
const maxDepth = 80;

const indexes = new WeakMap<object, Map<number, { name: string; field: Field }>>();

function indexOf(table: object): Map<number, { name: string; field: Field }> {
  const known = indexes.get(table);
  if (known) return known;
  const entries = Object.entries(table as Record<string, Field>);
  const index = new Map(entries.map(([name, field]) => [field.id, { name, field }]));
  indexes.set(table, index);
  return index;
}

/**
 * Decodes one message. Repeated fields are always arrays; a single field is undefined when the file leaves it out.
 * @throws RangeError or Error when the bytes are not such a message.
 */
export function decode<T>(bytes: Uint8Array, table: Table<T>, depth = 0): T {
  if (depth > maxDepth) throw new RangeError('messages are nested too deeply');
  const reader = new BinaryReader(bytes);
  const message: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(table as Record<string, Field>)) {
    if (field.repeated) message[name] = [];
  }
  const index = indexOf(table);
  while (reader.pos < reader.len) {
    const [id, wireType] = reader.tag();
    const found = index.get(id);
    if (!found) {
      reader.skip(wireType, id);
      continue;
    }
    decodeField(reader, wireType, found.name, found.field, message, depth);
  }
  return message as T;
}

function decodeField(
  reader: BinaryReader,
  wireType: WireType,
  name: string,
  field: Field,
  message: Record<string, unknown>,
  depth: number,
): void {
  const { kind } = field;
  const mismatch = () => new RangeError(`field ${name} has wire type ${wireType}`);
  if (kind === 'fixed32' || kind === 'fixed64') {
    message[name] = joinBytes(
      message[name] as Uint8Array | undefined,
      fixedBytes(reader, wireType, kind, mismatch),
    );
    return;
  }
  if (kind === 'varints') {
    const list = (message[name] as bigint[] | undefined) ?? [];
    message[name] = list;
    readVarints(reader, wireType, (value) => list.push(value), mismatch);
    return;
  }
  if (field.repeated && (kind === 'int' || kind === 'float') && wireType === WireType.LengthDelimited) {
    const list = message[name] as number[];
    const end = lengthEnd(reader);
    while (reader.pos < end) list.push(kind === 'int' ? clamped(reader.int64()) : reader.float());
    if (reader.pos !== end) throw new RangeError(`packed field ${name} runs past its length`);
    return;
  }
  const value = readSingle(reader, wireType, kind, depth, mismatch);
  if (field.repeated) (message[name] as unknown[]).push(value);
  else message[name] = value;
}

function readSingle(
  reader: BinaryReader,
  wireType: WireType,
  kind: Exclude<Field['kind'], 'fixed32' | 'fixed64' | 'varints'>,
  depth: number,
  mismatch: () => Error,
): unknown {
  if (kind === 'int') {
    if (wireType !== WireType.Varint) throw mismatch();
    return clamped(reader.int64());
  }
  if (kind === 'float') {
    if (wireType !== WireType.Bit32) throw mismatch();
    return reader.float();
  }
  if (wireType !== WireType.LengthDelimited) throw mismatch();
  if (kind === 'string') return reader.string();
  const view = reader.bytes();
  return kind === 'bytes' ? view : decode(view, kind() as Table<unknown>, depth + 1);
}

/** int64 as a number. Beyond ±2^53 only "to the end" sentinels occur: the ends of the range stand for each other. */
function clamped(value: bigint | string): number {
  const number = Number(value);
  return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function unclamped(value: number): number | bigint {
  if (value === Number.MAX_SAFE_INTEGER) return 2n ** 63n - 1n;
  return value === Number.MIN_SAFE_INTEGER ? -(2n ** 63n) : value;
}

function lengthEnd(reader: BinaryReader): number {
  const length = reader.uint32();
  if (length > reader.len - reader.pos) throw new RangeError('premature EOF');
  return reader.pos + length;
}

function fixedBytes(
  reader: BinaryReader,
  wireType: WireType,
  kind: 'fixed32' | 'fixed64',
  mismatch: () => Error,
): Uint8Array {
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  if (wireType !== (kind === 'fixed32' ? WireType.Bit32 : WireType.Bit64)) throw mismatch();
  return reader.skip(wireType);
}

function joinBytes(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  if (!a) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function readVarints(
  reader: BinaryReader,
  wireType: WireType,
  push: (value: bigint) => void,
  mismatch: () => Error,
): void {
  if (wireType === WireType.Varint) {
    push(BigInt(reader.int64()));
    return;
  }
  if (wireType !== WireType.LengthDelimited) throw mismatch();
  const end = lengthEnd(reader);
  while (reader.pos < end) push(BigInt(reader.int64()));
  if (reader.pos !== end) throw new RangeError('packed integers run past their length');
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes of at least this size are handed on by reference, so that weights are copied once at most. */
const byReference = 1024;

interface Chunks {
  readonly parts: Uint8Array[];
  size: number;
}

/** Encodes one message. Absent fields and empty lists are left out; fields are written in the table's order. */
export function encode<T>(message: T, table: Table<T>): Uint8Array {
  return joinParts(encodeContent(message, table));
}

/** The same in parts, large byte fields among them as they are. */
export function encodeContent<T>(message: T, table: Table<T>): FileContent {
  const { parts, size } = encodeChunks(message as Record<string, unknown>, table as Record<string, Field>);
  return { sizeBytes: size, parts: () => parts };
}

function encodeChunks(message: Record<string, unknown>, table: Record<string, Field>): Chunks {
  const chunks: Chunks = { parts: [], size: 0 };
  let writer = new BinaryWriter();
  const push = (part: Uint8Array) => {
    if (part.length === 0) return;
    chunks.parts.push(part);
    chunks.size += part.length;
  };
  const flush = () => {
    push(writer.finish());
    writer = new BinaryWriter();
  };
  for (const [field, item] of itemsOf(message, table)) {
    const { id, kind } = field;
    if (!isLarge(field, item)) {
      writeItem(writer, field, item);
    } else if (typeof kind === 'function') {
      const inner = encodeChunks(item as Record<string, unknown>, kind() as Record<string, Field>);
      writer.tag(id, WireType.LengthDelimited).uint32(inner.size);
      flush();
      for (const part of inner.parts) push(part);
    } else {
      writer.tag(id, WireType.LengthDelimited).uint32((item as Uint8Array).length);
      flush();
      push(item as Uint8Array);
    }
  }
  flush();
  return chunks;
}

/** Every value of a message that is there, with its field; repeated ones one by one. */
function* itemsOf(
  message: Record<string, unknown>,
  table: Record<string, Field>,
): Generator<readonly [Field, unknown]> {
  for (const [name, field] of Object.entries(table)) {
    const value = message[name];
    if (value === undefined) continue;
    if (!field.repeated) yield [field, value];
    else for (const item of value as unknown[]) yield [field, item];
  }
}

function isBytes(kind: Field['kind']): boolean {
  return kind === 'bytes' || kind === 'fixed32' || kind === 'fixed64';
}

/** Whether a value holds bytes that are kept by reference. */
function isLarge({ kind }: Field, item: unknown): boolean {
  if (isBytes(kind)) return (item as Uint8Array).length >= byReference;
  if (typeof kind !== 'function') return false;
  for (const [field, inner] of itemsOf(item as Record<string, unknown>, kind() as Record<string, Field>)) {
    if (isLarge(field, inner)) return true;
  }
  return false;
}

function writeItem(writer: BinaryWriter, { id, kind }: Field, item: unknown): void {
  if (kind === 'int') writer.tag(id, WireType.Varint).int64(unclamped(item as number));
  else if (kind === 'float') writer.tag(id, WireType.Bit32).float(item as number);
  else if (kind === 'string') writer.tag(id, WireType.LengthDelimited).string(item as string);
  else if (kind === 'varints') {
    writer.tag(id, WireType.LengthDelimited).fork();
    for (const value of item as bigint[]) writer.int64(value);
    writer.join();
  } else if (typeof kind === 'function') {
    writer.tag(id, WireType.LengthDelimited).fork();
    const table = kind() as Record<string, Field>;
    for (const [field, inner] of itemsOf(item as Record<string, unknown>, table))
      writeItem(writer, field, inner);
    writer.join();
  } else writer.tag(id, WireType.LengthDelimited).bytes(item as Uint8Array);
}
