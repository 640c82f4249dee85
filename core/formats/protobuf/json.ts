/** Messages in protobuf's JSON mapping, by the tables that describe the binary form. */
import type { Field, Table } from './wire.ts';

/** Numbers of enum values by name ("DT_FLOAT"): JSON writes enums by name. */
export type EnumNumbers = Readonly<Record<string, number>>;

const maxDepth = 80;

/**
 * Turns a parsed JSON value into the message that `decode` would give. Fields may be written in lowerCamelCase or with
 * underscores, 64-bit integers as text, bytes as base64, maps as objects. Unknown fields are skipped.
 * @throws RangeError naming the field that is not of its kind.
 */
export function fromJson<T>(json: unknown, table: Table<T>, enums: EnumNumbers, depth = 0): T {
  if (depth > maxDepth) throw new RangeError('messages are nested too deeply');
  const message: Record<string, unknown> = {};
  const given = isObject(json) ? json : {};
  for (const [name, field] of Object.entries(table as Record<string, Field>)) {
    const value = given[name] ?? given[underscored(name)];
    if (field.repeated) message[name] = listOf(value, name, field, enums, depth);
    else if (value !== undefined && value !== null)
      message[name] = single(value, name, field.kind, enums, depth);
  }
  return message as T;
}

function listOf(value: unknown, name: string, field: Field, enums: EnumNumbers, depth: number): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item) => single(item, name, field.kind, enums, depth));
  if (!isObject(value)) throw new RangeError(`${name} is not a list`);
  return Object.entries(value).map(([key, item]) =>
    single({ key, value: item }, name, field.kind, enums, depth),
  );
}

function single(
  value: unknown,
  name: string,
  kind: Field['kind'],
  enums: EnumNumbers,
  depth: number,
): unknown {
  if (typeof kind === 'function') return fromJson(value, kind() as Table<unknown>, enums, depth + 1);
  switch (kind) {
    case 'string':
      if (typeof value === 'string') return value;
      break;
    case 'bytes':
      if (typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
      break;
    case 'int':
    case 'float': {
      const number = typeof value === 'string' ? (enums[value] ?? Number(value)) : Number(value);
      if (typeof value !== 'object' && (!Number.isNaN(number) || value === 'NaN')) return number;
      break;
    }
    default:
      throw new RangeError(`${name} is written out in JSON, which is not read`);
  }
  throw new RangeError(`${name} is ${JSON.stringify(value)}`);
}

function underscored(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
