/** What shape inference and constant folding of every operator family share. */
import { type DType, storageArray, type TypedArray } from '../ir/dtype.ts';
import type { Dim, Value } from '../ir/graph.ts';
import {
  contiguous,
  elementCount,
  rowMajorStrides,
  type Tensor,
  tensorOf,
  toNumbers,
  typedData,
} from '../ir/tensor.ts';

type Fail = (message: string) => never;

function throwRange(message: string): never {
  throw new RangeError(message);
}

export function shapeText(shape: readonly Dim[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * ONNX multidirectional broadcasting. An open dimension against a number above 1 takes the number; against 1 or its
 * own name it stays; two different names give a third one.
 */
export function broadcastShapes(a: readonly Dim[], b: readonly Dim[], fail: Fail = throwRange): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) out.push(x);
    else if (x === 1) out.push(y);
    else if (typeof x === 'number' && typeof y === 'number') {
      fail(`shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
    } else if (typeof x === 'number') out.push(x);
    else if (typeof y === 'number') out.push(y);
    else out.push(`max(${x}, ${y})`);
  }
  return out;
}

/** An axis counted from the front. `rank` axes are allowed from −rank to rank − 1. */
export function normalizeAxis(axis: number, rank: number, fail: Fail = throwRange): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    fail(`axis ${axis} is outside a tensor of rank ${rank}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, in ascending order. A repeated axis is an error. */
export function normalizeAxes(axes: readonly number[], rank: number, fail: Fail = throwRange): number[] {
  const out = axes.map((axis) => normalizeAxis(axis, rank, fail)).sort((a, b) => a - b);
  if (new Set(out).size !== out.length) fail(`axes [${axes.join(', ')}] name one axis twice`);
  return out;
}

/** The elements of a constant value as plain numbers; undefined when it is absent or computed. */
export function constantNumbers(value: Value | null | undefined): number[] | undefined {
  return value?.constant ? toNumbers(value.constant) : undefined;
}

/** The name of a dimension that depends on open ones: one per node and axis, so that equal names mean equal sizes. */
export function derivedDim(node: string, axis: number): string {
  return `${node}.${axis}`;
}

/** The input at a position. Ends inference when it is left out. */
export function requireInput(
  context: { readonly inputs: readonly (Value | null)[]; fail(message: string): never },
  index: number,
): Value {
  const value = context.inputs[index];
  return value ?? context.fail(`input ${index} is missing`);
}

/** A zero-filled typed array that stores `count` elements. @throws TypeError for string and 4-bit types. */
export function emptyArray(dtype: DType, count: number): TypedArray {
  if (dtype === 'string' || dtype === 'int4' || dtype === 'uint4') {
    throw new TypeError(`${dtype} tensors cannot be computed here`);
  }
  return new storageArray[dtype](count);
}

/** A tensor from plain numbers in any byte-sized integer or float32/float64 type. */
export function tensorFromNumbers(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new TypeError(`${dtype} takes raw bits, not numbers`);
  const data = emptyArray(dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]);
  } else {
    data.set(values);
  }
  return tensorOf(dtype, shape, data);
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
