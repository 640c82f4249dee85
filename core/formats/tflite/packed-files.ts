/** Files that TFLite Metadata packs behind a model (labels and the like): a zip archive at the end of the file. */

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const endBytes = 22;
const entryBytes = 46;

export interface PackedFiles {
  readonly names: readonly string[];
  /** The archive; its offsets count from the beginning of the file that it is a part of. */
  readonly archive: Uint8Array;
  /** Where it begins in that file. */
  readonly start: number;
}

/** @returns undefined where the bytes do not end with a whole archive, without a comment, as tools write it. */
export function findPackedFiles(bytes: Uint8Array): PackedFiles | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - endBytes;
  if (end < 0 || view.getUint32(end, true) !== endSignature) return undefined;
  const entries = entriesOf(view, view.getUint32(end + 16, true), end, view.getUint16(end + 10, true));
  if (!entries || entries.length === 0) return undefined;
  const start = Math.min(...entries.map(({ place }) => place));
  return { names: entries.map(({ name }) => name), archive: bytes.subarray(start), start };
}

/** The archive as it is at the end of another file, from `place` on. */
export function movedPackedFiles({ archive, start }: PackedFiles, place: number): Uint8Array {
  const moved = archive.slice();
  const view = new DataView(moved.buffer);
  const by = place - start;
  const shift = (at: number) => view.setUint32(at, view.getUint32(at, true) + by, true);
  const end = moved.byteLength - endBytes;
  const directory = view.getUint32(end + 16, true) - start;
  for (const { at } of entriesOf(view, directory, end, view.getUint16(end + 10, true)) ?? []) shift(at + 42);
  shift(end + 16);
  return moved;
}

/** Entries of the central directory; `place` is where a file's own data begin. */
function entriesOf(
  view: DataView,
  from: number,
  end: number,
  count: number,
): { name: string; at: number; place: number }[] | undefined {
  const entries: { name: string; at: number; place: number }[] = [];
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at + entryBytes > end || view.getUint32(at, true) !== entrySignature) return undefined;
    const nameBytes = view.getUint16(at + 28, true);
    const next = at + entryBytes + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) return undefined;
    const name = new Uint8Array(view.buffer, view.byteOffset + at + entryBytes, nameBytes);
    entries.push({ name: new TextDecoder().decode(name), at, place: view.getUint32(at + 42, true) });
    at = next;
  }
  return entries;
}
