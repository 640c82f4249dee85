/** Computes elementwise operators on constants; for shape arithmetic and weight preparation, not for running models. */
import { type DType, storageArray, type TypedArray } from '../ir/dtype.ts';
import type { TensorType } from '../ir/graph.ts';
import { elementCount, rowMajorStrides, type Tensor, tensorOf, toFloat32, typedData } from '../ir/tensor.ts';

export type Scalar = number | bigint;

/** Types whose elements can be computed here; float16 is left to the kernels that convert it. */
export function isFoldable(dtype: DType): boolean {
  return !['string', 'float16', 'bfloat16', 'int4', 'uint4'].includes(dtype);
}

/** The elements in order: bigints for 64-bit integers, else numbers. @throws TypeError for strings and 4-bit types. */
export function elementsOf(tensor: Tensor): ArrayLike<Scalar> {
  if (tensor.dtype === 'float16' || tensor.dtype === 'bfloat16') return toFloat32(tensor);
  if (!isFoldable(tensor.dtype)) throw new TypeError(`${tensor.dtype} tensors are not folded`);
  return typedData(tensor);
}

const int64Limits = [-(2n ** 63n), 2n ** 63n - 1n] as const;

function toBigInt(value: Scalar): bigint {
  if (typeof value === 'bigint') return value;
  if (Number.isNaN(value)) return 0n;
  if (!Number.isFinite(value)) return value > 0 ? int64Limits[1] : int64Limits[0];
  return BigInt(Math.trunc(value));
}

/** A tensor of `dtype` from computed elements, converted as ONNX Cast does (towards zero; bool is "not zero"). */
export function tensorFrom(dtype: DType, shape: readonly number[], values: ArrayLike<Scalar>): Tensor {
  if (!isFoldable(dtype)) throw new TypeError(`${dtype} tensors are not folded`);
  const data = new (storageArray[dtype as keyof typeof storageArray] as new (n: number) => TypedArray)(
    values.length,
  );
  if (dtype === 'bool') {
    for (let i = 0; i < values.length; i++) data[i] = Number(values[i]) !== 0 ? 1 : 0;
  } else if (dtype === 'int64' || dtype === 'uint64') {
    for (let i = 0; i < values.length; i++) data[i] = toBigInt(values[i]);
  } else {
    for (let i = 0; i < values.length; i++) data[i] = Number(values[i]);
  }
  return tensorOf(dtype, shape, data);
}

function numericShape(type: TensorType): number[] {
  return type.shape.map((dim) => {
    if (typeof dim === 'string') throw new TypeError(`the dimension ${dim} is open`);
    return dim;
  });
}

/** For each element of `target` in order, the index of the element of a row-major `shape` that broadcasts to it. */
export function broadcastIndex(shape: readonly number[], target: readonly number[]): Int32Array {
  const own = rowMajorStrides(shape);
  const strides = target.map((_, axis) => {
    const from = axis - (target.length - shape.length);
    return from < 0 || shape[from] === 1 ? 0 : own[from];
  });
  const index = new Int32Array(elementCount(target));
  const counter = new Array<number>(target.length).fill(0);
  for (let i = 0, offset = 0; i < index.length; i++) {
    index[i] = offset;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++counter[axis] < target[axis]) break;
      offset -= strides[axis] * target[axis];
      counter[axis] = 0;
    }
  }
  return index;
}

/** Applies `compute` to corresponding elements of broadcast inputs and stores the results as `type`. */
export function foldElementwise(
  inputs: readonly (Tensor | null)[],
  type: TensorType,
  compute: (...values: Scalar[]) => Scalar,
): Tensor {
  const shape = numericShape(type);
  const parts = inputs.map((input) => {
    if (!input) throw new TypeError('a required input is missing');
    const elements = elementsOf(input);
    const same = input.shape.length === shape.length && input.shape.every((dim, i) => dim === shape[i]);
    return { elements, index: same ? undefined : broadcastIndex(input.shape, shape) };
  });
  const count = elementCount(shape);
  const results = new Array<Scalar>(count);
  const values = new Array<Scalar>(parts.length);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < parts.length; p++) {
      const { elements, index } = parts[p];
      values[p] = elements[index ? index[i] : i];
    }
    results[i] = compute(...values);
  }
  return tensorFrom(type.dtype, shape, results);
}
