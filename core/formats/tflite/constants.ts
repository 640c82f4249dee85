import { dtypeBits } from '../../ir/dtype.ts';
import type { QuantParams, Value } from '../../ir/graph.ts';
import {
  contiguous,
  elementCount,
  permute,
  rowMajorStrides,
  type Tensor,
  tensorOf,
  typedData,
} from '../../ir/tensor.ts';
import { packInt4, unpackInt4 } from '../../kernels/int4.ts';

/** A tensor in other axis order; −1 in `perm` inserts an axis of length 1. A view wherever the bytes allow it. */
export function arrange(tensor: Tensor, perm: readonly number[] | undefined): Tensor {
  if (!perm) return tensor;
  const kept = perm.filter((axis) => axis >= 0);
  const isMoved = kept.some((axis, i) => axis !== i);
  const moved =
    isMoved && dtypeBits[tensor.dtype] === 4 ? permutePacked(tensor, kept) : permute(tensor, kept);
  const strides = moved.strides ?? rowMajorStrides(moved.shape);
  let next = 0;
  const axes = perm.map((axis) => (axis < 0 ? undefined : next++));
  return {
    dtype: moved.dtype,
    bytes: moved.bytes,
    shape: axes.map((axis) => (axis === undefined ? 1 : moved.shape[axis])),
    strides: axes.map((axis) => (axis === undefined ? 0 : strides[axis])),
  };
}

/** Quantization parameters after `arrange`: the axis follows its dimension. */
export function arrangeQuant(
  quant: QuantParams | undefined,
  perm: readonly number[] | undefined,
): QuantParams | undefined {
  if (!quant || quant.axis === undefined || !perm) return quant;
  return { ...quant, axis: perm.indexOf(quant.axis) };
}

/** 4-bit elements cannot be strided: unpack to a byte each, permute, pack again. */
function permutePacked(tensor: Tensor, perm: readonly number[]): Tensor {
  const count = elementCount(tensor.shape);
  const wide = tensorOf('int8', tensor.shape, unpackInt4(tensor.bytes, count));
  const moved = contiguous(permute(wide, perm));
  const bytes = packInt4(typedData(moved) as Int8Array);
  return { dtype: tensor.dtype, shape: moved.shape, bytes };
}

/** A constant with the numbers of a scale and a zero point input, as `quant` of a value. */
export function quantOfBorder(
  scale: Value | undefined,
  zeroPoint: Value | undefined,
  axis: number | undefined,
  read: (tensor: Tensor) => number[],
): QuantParams | undefined {
  if (!scale?.constant) return undefined;
  const scales = read(scale.constant);
  const zeroPoints = zeroPoint?.constant ? read(zeroPoint.constant) : scales.map(() => 0);
  return scales.length > 1 ? { scales, zeroPoints, axis } : { scales, zeroPoints };
}
