import { halfNumbers } from '../kernels/half.ts';
import { byteLength, type DType, dtypeBits, storageArray, type TypedArray } from './dtype.ts';

/**
 * A constant tensor. `bytes` is a little-endian view on the file it came from or on memory made here; it is never
 * written to. With `strides` (in elements) the tensor is a permuted view on those bytes: a reader and a writer that
 * disagree about axis order cost one copy, at the end, in `contiguous`.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly strides?: readonly number[];
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}

/** Row-major strides in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** A tensor over a typed array's own memory (no copy). @throws RangeError when the element count does not match. */
export function tensorOf(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  if (bytes.byteLength !== byteLength(dtype, elementCount(shape))) {
    throw new RangeError(
      `${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${shape.join(', ')}]`,
    );
  }
  return { dtype, shape, bytes };
}

/** A float32 tensor from plain numbers. */
export function floatTensor(shape: readonly number[], values: ArrayLike<number>): Tensor {
  return tensorOf('float32', shape, Float32Array.from(values));
}

/** An int64 tensor from plain numbers: ONNX's type for shapes and axes. */
export function int64Tensor(shape: readonly number[], values: readonly number[]): Tensor {
  return tensorOf(
    'int64',
    shape,
    BigInt64Array.from(values, (value) => BigInt(value)),
  );
}

/** The same elements with axes reordered: `result.shape[i] = tensor.shape[perm[i]]`. A view, no copy. */
export function permute(tensor: Tensor, perm: readonly number[]): Tensor {
  const strides = tensor.strides ?? rowMajorStrides(tensor.shape);
  return {
    dtype: tensor.dtype,
    shape: perm.map((axis) => tensor.shape[axis]),
    bytes: tensor.bytes,
    strides: perm.map((axis) => strides[axis]),
  };
}

function isRowMajor(tensor: Tensor): boolean {
  if (!tensor.strides) return true;
  const expected = rowMajorStrides(tensor.shape);
  return tensor.strides.every((stride, axis) => tensor.shape[axis] === 1 || stride === expected[axis]);
}

/** The same tensor without strides; copies only when the view is really permuted. 4-bit tensors are always packed row-major. */
export function contiguous(tensor: Tensor): Tensor {
  if (isRowMajor(tensor)) {
    return tensor.strides ? { dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.bytes } : tensor;
  }
  const source = typed(tensor.dtype, tensor.bytes);
  const target = new (
    storageArray[tensor.dtype as keyof typeof storageArray] as new (
      n: number,
    ) => TypedArray
  )(elementCount(tensor.shape));
  copyStrided(source, target, tensor.shape, tensor.strides!);
  return tensorOf(tensor.dtype, tensor.shape, target);
}

/** Lays tensors out for use at once: one buffer serves all, since together they are as large as the model. */
export class Scratch {
  private room = new ArrayBuffer(0);

  /** Row-major bytes, good until the next call; no copy where the tensor is row-major already. */
  bytesOf(tensor: Tensor): Uint8Array {
    if (isRowMajor(tensor)) return tensor.bytes;
    const source = typed(tensor.dtype, tensor.bytes);
    const count = elementCount(tensor.shape);
    const byteLength = count * source.BYTES_PER_ELEMENT;
    if (this.room.byteLength < byteLength) this.room = new ArrayBuffer(byteLength);
    const array = source.constructor as new (room: ArrayBuffer, at: number, n: number) => TypedArray;
    copyStrided(source, new array(this.room, 0, count), tensor.shape, tensor.strides!);
    return new Uint8Array(this.room, 0, byteLength);
  }
}

/** The bytes of some elements, by their row-major indexes. Of 4-bit tensors the bytes that hold two. */
export function elementsAt({ dtype, shape, bytes, strides }: Tensor, indexes: readonly number[]): Uint8Array {
  const size = Math.max(1, dtypeBits[dtype] / 8);
  const out = new Uint8Array(indexes.length * size);
  indexes.forEach((index, i) => {
    let at = dtypeBits[dtype] < 8 ? Math.floor((index * dtypeBits[dtype]) / 8) : index;
    if (strides) {
      at = 0;
      for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
        at += (rest % shape[axis]) * strides[axis];
        rest = Math.floor(rest / shape[axis]);
      }
    }
    out.set(bytes.subarray(at * size, (at + 1) * size), i * size);
  });
  return out;
}

function copyStrided(
  source: TypedArray,
  target: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
): void {
  if (target.length === 0) return;
  // Axes of size 1 would make the innermost loop one step long.
  const axes = [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const places: Axis[] = [];
  let step = target.length;
  for (const axis of axes) {
    step /= shape[axis];
    places.push({ size: shape[axis], from: strides[axis], to: step });
  }
  const last = places.pop();
  if (!last) {
    target[0] = source[0];
    return;
  }
  // A transposition reads or writes with a wide stride: in tiles both stay within the cache.
  const dense = last.from === 1 ? -1 : places.findIndex(({ from }) => from === 1);
  const [rows] = dense < 0 ? [{ size: 1, from: 0, to: 0 }] : places.splice(dense, 1);
  const index = new Array<number>(places.length).fill(0);
  let [from, to] = [0, 0];
  for (;;) {
    copyPlane(source, target, from, to, rows, last);
    let axis = places.length - 1;
    for (; axis >= 0; axis--) {
      const { size, from: fromStep, to: toStep } = places[axis];
      from += fromStep;
      to += toStep;
      if (++index[axis] < size) break;
      from -= fromStep * size;
      to -= toStep * size;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** One axis of a copy: its size, and its strides in elements on both sides. */
interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Elements on a side of a tile. */
const tile = 16;

function copyPlane(
  source: TypedArray,
  target: TypedArray,
  from: number,
  to: number,
  rows: Axis,
  columns: Axis,
): void {
  const width = rows.size === 1 ? columns.size : tile;
  for (let row = 0; row < rows.size; row += tile) {
    const rowEnd = Math.min(row + tile, rows.size);
    for (let column = 0; column < columns.size; column += width) {
      const columnEnd = Math.min(column + width, columns.size);
      for (let r = row; r < rowEnd; r++) {
        let at = from + r * rows.from + column * columns.from;
        const place = to + r * rows.to;
        for (let c = column; c < columnEnd; c++, at += columns.from) target[place + c] = source[at];
      }
    }
  }
}

function typed(dtype: DType, bytes: Uint8Array): TypedArray {
  if (dtype === 'string' || dtype === 'other') throw new TypeError(`${dtype} tensors have no typed array`);
  const array = storageArray[dtype];
  const size = dtypeBits[dtype] >= 8 ? dtypeBits[dtype] / 8 : 1;
  // Not slice(): that of a Node Buffer copies nothing.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

/** The contiguous elements in their storage array (float16 as raw uint16 bits). A view where alignment allows. */
export function typedData(tensor: Tensor): TypedArray {
  const flat = contiguous(tensor);
  return typed(flat.dtype, flat.bytes);
}

/** The elements as float32 (a view when they are float32 already). @throws TypeError for string and 4-bit tensors. */
export function toFloat32(tensor: Tensor): Float32Array {
  const data = typedData(tensor);
  if (tensor.dtype === 'float32') return data as Float32Array;
  const out = new Float32Array(data.length);
  if (tensor.dtype === 'float16') {
    const numbers = halfNumbers();
    for (let i = 0; i < out.length; i++) out[i] = numbers[data[i] as number];
  } else if (tensor.dtype === 'bfloat16') {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < out.length; i++) bits[i] = (data[i] as number) << 16;
  } else if (dtypeBits[tensor.dtype] === 4) {
    throw new TypeError('4-bit tensors are unpacked by kernels, not converted');
  } else {
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  }
  return out;
}

/** The elements as plain numbers: for shapes, axes and other small constants. */
export function toNumbers(tensor: Tensor): number[] {
  if (tensor.dtype === 'float16' || tensor.dtype === 'bfloat16') return Array.from(toFloat32(tensor));
  return Array.from(typedData(tensor) as ArrayLike<number | bigint>, Number);
}
