/** Looks at the outermost fields of a protobuf file without reading what is in them. */
import type { FileHandle } from 'node:fs/promises';

export interface TopLevelField {
  readonly id: number;
  /** 0 varint, 1 64-bit, 2 length-delimited, 5 32-bit. */
  readonly wireType: number;
  readonly start: number;
  /** Where the field ends; beyond the file's size when the file is cut off. */
  readonly end: number;
}

/** Enough to tell formats apart; files list thousands of fields of one kind at most. */
const scanned = 64;

/** @returns the first fields, or undefined when the bytes cannot be protobuf. */
export async function topLevelFields(file: FileHandle, size: number): Promise<TopLevelField[] | undefined> {
  const fields: TopLevelField[] = [];
  const head = new Uint8Array(20);
  for (let at = 0; at < size && fields.length < scanned; ) {
    const start = at;
    const { bytesRead } = await file.read(head, 0, head.length, at);
    const tag = varint(head, 0, bytesRead);
    // A file may be cut off within the head of a field.
    if (!tag && bytesRead < head.length && fields.length) return fields;
    if (!tag || tag.value < 8 || tag.value > 0xffffffff) return undefined;
    const wireType = tag.value % 8;
    const value = wireType === 0 || wireType === 2 ? varint(head, tag.next, bytesRead) : undefined;
    if (wireType === 0 || wireType === 2) {
      if (!value) return bytesRead < head.length && fields.length ? fields : undefined;
      at += value.next + (wireType === 2 ? value.value : 0);
    } else if (wireType === 1 || wireType === 5) at += tag.next + (wireType === 1 ? 8 : 4);
    else return undefined;
    fields.push({ id: Math.floor(tag.value / 8), wireType, start, end: at });
  }
  return fields;
}

function varint(
  bytes: Uint8Array,
  from: number,
  length: number,
): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && from + i < length; i++) {
    const byte = bytes[from + i];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: from + i + 1 };
  }
  return undefined;
}
