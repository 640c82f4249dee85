import { WhittleError } from '../contract/errors.ts';
import { byteLength, type DType, dtypeBits } from '../ir/dtype.ts';

/** The header of one NumPy array file. */
export interface NpyHeader {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  /** Column-major: the first axis runs fastest. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
  /** Bytes that the elements take. */
  readonly dataBytes: number;
}

/** More bytes than the preamble of any array that NumPy itself would still read without being told to trust it. */
export const npyHeaderLimit = 65_536;

const kinds: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/**
 * Reads the preamble of a .npy file, versions 1.0 to 3.0 (NEP 1). `bytes` holds the file's beginning.
 * @param name how messages call the array.
 * @throws WhittleError `data.unreadable` for anything that is not a plain array of numbers.
 */
export function parseNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const refuse = (why: string, hint?: string): never => {
    throw new WhittleError('data.unreadable', `${name} is not a NumPy array that can be read: ${why}.`, {
      hint,
    });
  };
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) refuse('it does not begin like one');
  const major = bytes[6];
  if (major < 1 || major > 3) refuse(`its format version is ${major}, known are 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) refuse('it ends within its header');
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > npyHeaderLimit) {
    refuse(`its header claims ${length} bytes, at most ${npyHeaderLimit} are read`);
  }
  if (bytes.length < start + length) refuse('it ends within its header');
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));

  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shapeText = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  if (fortran === undefined || shapeText === undefined) refuse('its header is not a NumPy header');
  if (descr === undefined || !/^[<>|=]?[a-zA-Z]\d*$/.test(descr)) {
    refuse('its elements are records, not numbers', 'Save plain numeric arrays.');
  }
  const dtype = kinds[descr!.replace(/^[<>|=]/, '').replace('?', 'b1')];
  if (!dtype) {
    refuse(
      `its element type is ${descr}`,
      'Save float, integer or bool arrays; pickled objects and text are not read.',
    );
  }
  const shape = shapeText!
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) =>
      /^\d{1,15}L?$/.test(part) ? Number.parseInt(part, 10) : refuse(`its shape has "${part}"`),
    );
  if (shape.length > 32) refuse(`it has ${shape.length} axes`);
  const dataBytes = byteLength(
    dtype,
    shape.reduce((count, dim) => count * dim, 1),
  );
  if (!Number.isSafeInteger(dataBytes)) refuse(`its shape (${shape.join(', ')}) is beyond any file`);
  return {
    dtype,
    bigEndian: descr!.startsWith('>') && dtypeBits[dtype] > 8,
    fortran: fortran === 'True' && shape.length > 1,
    shape,
    dataOffset: start + length,
    dataBytes,
  };
}

/** A little-endian copy of big-endian elements. */
export function swapBytes(bytes: Uint8Array, dtype: DType): Uint8Array {
  const size = dtypeBits[dtype] / 8;
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size) {
    for (let j = 0; j < size; j++) out[i + j] = bytes[i + size - 1 - j];
  }
  return out;
}
