/**
 * Reading FlatBuffers by hand, safely: a `DataView` throws RangeError for whatever lies outside of the file, so damage
 * shows as an exception instead of as a wrong read. Positions are bytes from the start of the file; a table's n-th
 * schema field is its slot n.
 */

/** What is read of a file's bytes: a `DataView`, or a file that is read where it is looked at. */
export type ByteView = Pick<
  DataView,
  'byteLength' | 'getUint16' | 'getInt32' | 'getUint32' | 'getBigInt64' | 'getBigUint64' | 'getFloat32'
>;

/** Position that the offset stored at `at` points to. */
export function follow(file: ByteView, at: number): number {
  return at + file.getUint32(at, true);
}

/** Position of a table's field, absent when the table does not have it. */
export function fieldAt(file: ByteView, table: number, slot: number): number | undefined {
  const vtable = table - file.getInt32(table, true);
  const entry = 4 + slot * 2;
  if (entry >= file.getUint16(vtable, true)) return undefined;
  const offset = file.getUint16(vtable + entry, true);
  return offset === 0 ? undefined : table + offset;
}

/** Position and length of a vector; absent fields are empty vectors. @throws RangeError when it leaves the file. */
export function vectorAt(
  file: ByteView,
  table: number,
  slot: number,
  itemBytes: number,
): { start: number; count: number } {
  const field = fieldAt(file, table, slot);
  if (field === undefined) return { start: 0, count: 0 };
  const at = follow(file, field);
  const count = file.getUint32(at, true);
  const end = at + 4 + count * itemBytes;
  if (end > file.byteLength)
    throw new RangeError(`${count} items at byte ${at} end at byte ${end} of ${file.byteLength}`);
  return { start: at + 4, count };
}

/** Positions of the tables in a vector of tables. */
export function tables(file: ByteView, table: number, slot: number): number[] {
  const { start, count } = vectorAt(file, table, slot, 4);
  return Array.from({ length: count }, (_, i) => follow(file, start + i * 4));
}

export function int32s(file: ByteView, table: number, slot: number): number[] {
  const { start, count } = vectorAt(file, table, slot, 4);
  return Array.from({ length: count }, (_, i) => file.getInt32(start + i * 4, true));
}

/** A uint32 field, 0 when absent. */
export function uint32(file: ByteView, table: number, slot: number): number {
  const field = fieldAt(file, table, slot);
  return field === undefined ? 0 : file.getUint32(field, true);
}

export function text(file: DataView, table: number, slot: number): string {
  const { start, count } = vectorAt(file, table, slot, 1);
  return new TextDecoder().decode(new Uint8Array(file.buffer, file.byteOffset + start, count));
}
