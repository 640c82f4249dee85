import type { DType } from '../ir/dtype.ts';

/** TensorType of the TFLite schema, by IR type. Opaque values never get here. */
export const tensorTypeCodes = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  string: 5,
  bool: 6,
  int16: 7,
  int8: 9,
  float64: 10,
  uint64: 12,
  uint32: 15,
  uint16: 16,
  int4: 17,
  bfloat16: 18,
  uint4: 20,
} as const satisfies Record<Exclude<DType, 'other'>, number>;

const complex64Code = 8;

export function tensorTypeCode(dtype: DType | 'complex64'): number {
  if (dtype === 'complex64') return complex64Code;
  return tensorTypeCodes[dtype as keyof typeof tensorTypeCodes];
}
