import { inflateRawSync } from 'node:zlib';
import { WhittleError } from '../../contract/errors.ts';

/** One file in a zip archive. */
export interface ArchiveEntry {
  readonly name: string;
  readonly sizeBytes: number;
  /** The entry's bytes: a view on the archive when it is stored, inflated memory when it is deflated. */
  read(): Uint8Array;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;

/** Deflate cannot shrink by more than this factor (1032:1); a larger claim is a bomb or damage. */
const largestRatio = 1032;
const largestInflatedBytes = 4 * 2 ** 30;
const mostEntries = 65_536;

/**
 * Reads a zip archive's directory (APPNOTE.TXT 4.3, zip64 included) without touching the entries.
 * @throws WhittleError `format.damaged` when the archive is cut short, inconsistent, or inflates beyond all reason.
 */
export function openArchive(bytes: Uint8Array, file: string): Map<string, ArchiveEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string, hint = 'Copy or download the file again.'): never => {
    throw new WhittleError('format.damaged', `${file}: ${what}`, { hint });
  };
  const { count, offset } = findDirectory(view, fail);
  if (count > mostEntries) fail(`the archive claims ${count} entries; ${mostEntries} are allowed`);

  const entries = new Map<string, ArchiveEntry>();
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directorySignature) {
      fail(`entry ${i} of the archive's directory is damaged`);
    }
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const sizes = entrySizes(view, at, at + 46 + nameLength, extraLength);
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    entries.set(name, {
      name,
      sizeBytes: sizes.inflated,
      read: () => readEntry(bytes, view, name, { ...sizes, flags, method }, fail),
    });
  }
  return entries;
}

type Fail = (what: string, hint?: string) => never;

function findDirectory(view: DataView, fail: Fail): { count: number; offset: number } {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= lowest; at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    const count = view.getUint16(at + 10, true);
    const offset = view.getUint32(at + 16, true);
    const locator = at - 20;
    if (locator >= 0 && view.getUint32(locator, true) === locator64Signature) {
      const end64 = Number(view.getBigUint64(locator + 8, true));
      if (end64 + 56 > view.byteLength || view.getUint32(end64, true) !== end64Signature) {
        fail('the archive’s zip64 directory is damaged');
      }
      return {
        count: Number(view.getBigUint64(end64 + 32, true)),
        offset: Number(view.getBigUint64(end64 + 48, true)),
      };
    }
    return { count, offset };
  }
  return fail('the archive has no directory at its end; it is cut short');
}

interface EntrySizes {
  readonly stored: number;
  readonly inflated: number;
  readonly header: number;
}

/** Sizes and place of an entry; values of all ones are in the zip64 extra field (APPNOTE.TXT 4.5.3). */
function entrySizes(view: DataView, at: number, extraAt: number, extraLength: number): EntrySizes {
  let stored = view.getUint32(at + 20, true);
  let inflated = view.getUint32(at + 24, true);
  let header = view.getUint32(at + 42, true);
  const end = Math.min(extraAt + extraLength, view.byteLength);
  for (let field = extraAt; field + 4 <= end; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let value = field + 4;
    const next = () => {
      const size = value + 8 <= end ? Number(view.getBigUint64(value, true)) : 0xffffffff;
      value += 8;
      return size;
    };
    if (inflated === 0xffffffff) inflated = next();
    if (stored === 0xffffffff) stored = next();
    if (header === 0xffffffff) header = next();
  }
  return { stored, inflated, header };
}

function readEntry(
  bytes: Uint8Array,
  view: DataView,
  name: string,
  entry: EntrySizes & { readonly flags: number; readonly method: number },
  fail: Fail,
): Uint8Array {
  const { header, stored, inflated } = entry;
  if (header + 30 > bytes.length || view.getUint32(header, true) !== localSignature) {
    fail(`${name} in the archive is damaged`);
  }
  if (entry.flags & 1)
    fail(`${name} in the archive is encrypted`, 'Save the model again without a password.');
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (start + stored > bytes.length) fail(`${name} in the archive is cut short`);
  const data = bytes.subarray(start, start + stored);
  if (entry.method === 0) return data;
  if (entry.method !== 8) {
    fail(`${name} is compressed by method ${entry.method}; stored and deflated entries are read`);
  }
  if (inflated > largestInflatedBytes || inflated > stored * largestRatio + 64) {
    fail(
      `${name} would grow from ${stored} to ${inflated} bytes when unpacked`,
      'The archive is damaged or made to exhaust memory. Do not trust it.',
    );
  }
  let result: Uint8Array;
  try {
    result = inflateRawSync(data, { maxOutputLength: Math.max(inflated, 1) });
  } catch {
    return fail(`${name} in the archive cannot be unpacked to the ${inflated} bytes that it declares`);
  }
  if (result.length !== inflated) fail(`${name} unpacks to ${result.length} bytes instead of ${inflated}`);
  return result;
}
