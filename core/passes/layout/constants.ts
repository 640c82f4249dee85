import { contiguous, elementCount, permute, type Tensor } from '../../ir/tensor.ts';
import type { Order } from './order.ts';

/** The same elements under another shape. */
export function withShape(tensor: Tensor, shape: readonly number[]): Tensor {
  const { dtype, bytes } = contiguous(tensor);
  return { dtype, shape, bytes };
}

/** Reorders the elements along one axis as an order's `inner` says. */
export function permuteInner(tensor: Tensor, axis: number, inner: NonNullable<Order['inner']>): Tensor {
  const before = tensor.shape.slice(0, axis);
  const after = tensor.shape.slice(axis + 1);
  const split = withShape(tensor, [...before, ...inner.dims, ...after]);
  const perm = [
    ...before.map((_, i) => i),
    ...inner.perm.map((i) => axis + i),
    ...after.map((_, i) => axis + inner.dims.length + i),
  ];
  return withShape(permute(split, perm), tensor.shape);
}

/**
 * A constant operand, which broadcasts against a value of `rank` axes, in that value's physical order. Permuting is a
 * view; only a constant that varies along an axis with `inner` is copied.
 */
export function orderedConstant(tensor: Tensor, rank: number, order: Order): Tensor {
  if (elementCount(tensor.shape) === 1 || tensor.shape.length > rank) return tensor;
  const lead = rank - tensor.shape.length;
  const { inner, perm } = order;
  const at = inner ? inner.axis - lead : -1;
  const moved = inner && at >= 0 && tensor.shape[at] !== 1 ? permuteInner(tensor, at, inner) : tensor;
  if (perm.every((axis, i) => axis === i)) return moved;
  const full = lead > 0 ? withShape(moved, [...new Array<number>(lead).fill(1), ...moved.shape]) : moved;
  const ordered = permute(full, perm);
  // Leading axes of size 1 say nothing; without them the constant is again as small as it was given.
  let unit = 0;
  while (unit < lead && ordered.shape[unit] === 1) unit++;
  if (unit === 0) return ordered;
  return {
    dtype: ordered.dtype,
    shape: ordered.shape.slice(unit),
    bytes: ordered.bytes,
    strides: ordered.strides!.slice(unit),
  };
}
