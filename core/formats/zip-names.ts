/** Names of the entries of a zip file, read from its central directory. */
import type { FileHandle } from 'node:fs/promises';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const longestEnd = 22 + 0xffff;
/** Larger directories are not those of a model file. */
const largestDirectory = 16 * 1024 * 1024;

/** @returns entry names, or undefined when the file has no readable directory (a cut-off zip). */
export async function zipNames(file: FileHandle, size: number): Promise<string[] | undefined> {
  const tail = new Uint8Array(Math.min(size, longestEnd));
  await file.read(tail, 0, tail.length, size - tail.length);
  const view = new DataView(tail.buffer);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== endSignature) end--;
  if (end < 0) return undefined;
  const length = view.getUint32(end + 12, true);
  const start = view.getUint32(end + 16, true);
  if (length > largestDirectory || start + length > size) return undefined;
  const directory = new Uint8Array(length);
  await file.read(directory, 0, length, start);
  const entries = new DataView(directory.buffer);
  const names: string[] = [];
  for (let at = 0; at + 46 <= length && entries.getUint32(at, true) === entrySignature; ) {
    const nameLength = entries.getUint16(at + 28, true);
    names.push(new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength)));
    at += 46 + nameLength + entries.getUint16(at + 30, true) + entries.getUint16(at + 32, true);
  }
  return names;
}
