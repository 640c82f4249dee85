/** Builds constants out of the elements of other constants. */
import { type DType, storageArray, type TypedArray } from '../ir/dtype.ts';
import { contiguous, elementCount, rowMajorStrides, type Tensor, tensorOf, typedData } from '../ir/tensor.ts';

/** A zero-filled typed array that stores `count` elements. @throws TypeError for string and 4-bit types. */
export function emptyArray(dtype: DType, count: number): TypedArray {
  if (dtype === 'string' || dtype === 'other' || dtype === 'int4' || dtype === 'uint4') {
    throw new TypeError(`${dtype} tensors cannot be computed here`);
  }
  return new storageArray[dtype](count);
}

/** The same elements in another shape of as many elements; a view. */
export function reshaped(tensor: Tensor, shape: readonly number[]): Tensor {
  return { dtype: tensor.dtype, shape, bytes: contiguous(tensor).bytes };
}

/**
 * Picks elements axis by axis: `result[i, j, …] = tensor[maps[0][i], maps[1][j], …]`, with −1 standing for `fill`
 * (default 0). Slice, Expand, Tile, Pad, Split and Gather are all such maps.
 */
export function pickByAxis(
  tensor: Tensor,
  maps: readonly (readonly number[])[],
  fill?: number | bigint,
): Tensor {
  const shape = maps.map((map) => map.length);
  const source = typedData(tensor);
  const target = emptyArray(tensor.dtype, elementCount(shape));
  if (fill !== undefined && Number(fill) !== 0) target.fill(fill as never);
  if (target.length === 0 || source.length === 0) return tensorOf(tensor.dtype, shape, target);
  const strides = rowMajorStrides(tensor.shape);
  let written = 0;
  const visit = (axis: number, offset: number): void => {
    if (axis === maps.length) {
      target[written++] = source[offset];
      return;
    }
    const map = maps[axis];
    let inner = 1;
    for (let i = axis + 1; i < shape.length; i++) inner *= shape[i];
    for (const index of map) {
      if (index < 0) written += inner;
      else visit(axis + 1, offset + index * strides[axis]);
    }
  };
  visit(0, 0);
  return tensorOf(tensor.dtype, shape, target);
}

/** 0, 1, … count − 1. */
export function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
