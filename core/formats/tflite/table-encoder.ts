import { Builder } from 'flatbuffers';
import { optionsFields } from './options.ts';
import { type Field, tables, unions } from './schema.ts';

export type Fields = Readonly<Record<string, Field>>;
type AnyRow = Readonly<Record<string, unknown>>;
/** A field as it is written: its number, its kind, and its scalar or the offset that it refers to. */
type Slot = readonly [id: number, kind: string, value: number];

export const fieldTables: Readonly<Record<string, Fields>> = { ...tables, ...optionsFields };
export const noFields: Fields = {};
export const scalarBytes: Readonly<Record<string, number>> = {
  bool: 1,
  i8: 1,
  u8: 1,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  f32: 4,
};

/**
 * Writes the tables of a flatbuffer. Tables, vectors and texts that are equal stand in the file once and are referred
 * to from every place, which the format allows wherever an offset stands: shapes, zero points and options repeat often.
 */
export class TableEncoder {
  private readonly builder = new Builder(65_536);
  private readonly written = new Map<string, number>();

  /** @param alignment the length of all tables becomes a multiple of it */
  constructor(alignment: number) {
    this.builder.prep(alignment, 0);
  }

  /**
   * @param ready offsets of references, or of a vector's elements, that stand already
   * @returns the table's offset
   */
  table(
    name: string,
    row: AnyRow,
    ready: Readonly<Record<string, number | readonly number[] | undefined>> = {},
  ): number {
    const slots: Slot[] = [];
    for (const [field, [id, kind, fallback]] of Object.entries(fieldTables[name] ?? noFields)) {
      const offsets = ready[field];
      const value = row[field];
      if (offsets !== undefined)
        slots.push([id, kind, typeof offsets === 'number' ? offsets : this.offsets(offsets)]);
      else if (value === undefined) continue;
      else if (!(kind in scalarBytes))
        slots.push([id, kind, this.reference(kind, value, row[`${field}_type`])]);
      else if (Number(value) !== (fallback ?? 0)) slots.push([id, kind, Number(value)]);
    }
    // Wide fields first keeps the padding small.
    slots.sort(([a, kindA], [b, kindB]) => (scalarBytes[kindB] ?? 4) - (scalarBytes[kindA] ?? 4) || a - b);
    return this.once(`table ${slots.join(' ')}`, () => this.writeTable(slots));
  }

  finish(root: number, identifier: string): Uint8Array {
    this.builder.finish(root, identifier);
    return this.builder.asUint8Array();
  }

  private once(key: string, write: () => number): number {
    let offset = this.written.get(key);
    if (offset === undefined) {
      offset = write();
      this.written.set(key, offset);
    }
    return offset;
  }

  private writeTable(slots: readonly Slot[]): number {
    const { builder } = this;
    builder.startObject(1 + Math.max(-1, ...slots.map(([id]) => id)));
    for (const [id, kind, value] of slots) {
      const width = scalarBytes[kind];
      if (width === undefined) builder.addOffset(value);
      else this.addScalar(kind, value);
      builder.slot(id);
    }
    return builder.endObject();
  }

  private reference(kind: string, value: unknown, unionType: unknown): number {
    if (kind === 'string')
      return this.once(`text ${value}`, () => this.builder.createString(value as string));
    if (kind in unions) return this.table(unions[kind][unionType as number], value as AnyRow);
    if (kind === '[u8]') {
      const bytes = value as Uint8Array;
      this.builder.prep(16, bytes.byteLength);
      return this.builder.createByteVector(bytes);
    }
    if (!kind.startsWith('[')) return this.table(kind, value as AnyRow);
    const element = kind.slice(1, -1);
    const items = value as readonly unknown[];
    if (element in scalarBytes) return this.scalars(element, items as readonly number[]);
    return this.offsets(items.map((item) => this.reference(element, item, undefined)));
  }

  private scalars(element: string, items: readonly number[]): number {
    return this.once(`[${element}] ${items.join(' ')}`, () => {
      const width = scalarBytes[element];
      this.builder.startVector(width, items.length, width);
      for (let i = items.length - 1; i >= 0; i--) this.addScalar(element, Number(items[i]));
      return this.builder.endVector();
    });
  }

  private offsets(offsets: readonly number[]): number {
    return this.once(`[offset] ${offsets.join(' ')}`, () => {
      this.builder.startVector(4, offsets.length, 4);
      for (let i = offsets.length - 1; i >= 0; i--) this.builder.addOffset(offsets[i]);
      return this.builder.endVector();
    });
  }

  private addScalar(kind: string, value: number): void {
    const { builder } = this;
    const width = scalarBytes[kind];
    if (kind === 'f32') builder.addFloat32(value);
    else if (width === 8) builder.addInt64(BigInt(value));
    else if (width === 4) builder.addInt32(value);
    else if (width === 2) builder.addInt16(value);
    else builder.addInt8(value);
  }
}
