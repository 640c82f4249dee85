/** Element types of tensors, by their ONNX names in lower case. */
export const dtypes = [
  'float32',
  'float16',
  'float64',
  'bfloat16',
  'int4',
  'uint4',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
] as const;

/**
 * `other` is what the IR has no form for: a sequence, an 8-bit float, a tensor of unknown rank. Such values stand
 * between opaque operators only.
 */
export type DType = (typeof dtypes)[number] | 'other';

/** Bits one element takes in a contiguous buffer; strings and what is no tensor have no fixed size and count as 0. */
export const dtypeBits: Record<DType, number> = {
  float32: 32,
  float16: 16,
  float64: 64,
  bfloat16: 16,
  int4: 4,
  uint4: 4,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  bool: 8,
  string: 0,
  other: 0,
};

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The typed array that holds a type's raw bits: float16 and bfloat16 as uint16, bool and 4-bit (packed) as uint8. */
export const storageArray = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  bfloat16: Uint16Array,
  int4: Uint8Array,
  uint4: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64' || dtype === 'bfloat16';
}

/** Bytes that `count` elements of a type take when stored contiguously (4-bit types are packed two to a byte). */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((dtypeBits[dtype] * count) / 8);
}
