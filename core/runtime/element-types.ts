import type { DType } from '../ir/dtype.ts';

/** LiteRT's element types by number (`LiteRtElementType`, the numbers of `TfLiteType`); the rest has no tensor here. */
const names: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'int32',
  3: 'uint8',
  4: 'int64',
  6: 'bool',
  7: 'int16',
  9: 'int8',
  10: 'float16',
  11: 'float64',
  13: 'uint64',
  16: 'uint32',
  17: 'uint16',
  18: 'int4',
  19: 'bfloat16',
};

/** @throws RangeError naming the number when tensors of that type cannot be passed. */
export function dtypeOfElementType(element: number): DType {
  const dtype = names[element];
  if (!dtype) throw new RangeError(`element type ${element} of LiteRT cannot be passed in or out`);
  return dtype;
}
