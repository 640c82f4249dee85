import { WhittleError } from '../contract/errors.ts';
import { type DType, isFloat, storageArray, type TypedArray } from '../ir/dtype.ts';
import type { PortInfo } from '../ir/engine.ts';
import { elementCount, permute, type Tensor, tensorOf, toFloat32, typedData } from '../ir/tensor.ts';
import { halfBits } from '../kernels/half.ts';
import { type IntegerArray, quantizePerTensor } from '../kernels/quantize.ts';

/** How one port of a model stands for a port of the source. */
export interface PortAdapter {
  /** The source's name of this port; the same name when left out. */
  readonly source?: string;
  /** Axis order of this port against the source: `shape[i]` here is the source's `shape[permutation[i]]`. */
  readonly permutation?: readonly number[];
}

/**
 * By the model's port name. What is not listed has the source's name and axis order: a permutation is never guessed,
 * since square shapes would hide a wrong one.
 */
export type PortAdapters = Readonly<Record<string, PortAdapter>>;

/** Limits of the integer types that a port may be quantized to or converted to. */
const limits: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

/**
 * One sample of the source's inputs, as a model's own inputs: reordered by the adapters, quantized with the ports'
 * parameters, converted where the type is another.
 * @throws WhittleError `data.mismatch` naming the port with both types
 */
export function adaptFeeds(
  ports: readonly PortInfo[],
  sample: Readonly<Record<string, Tensor>>,
  adapters: PortAdapters = {},
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const port of ports) {
    const { source = port.name, permutation } = adapters[port.name] ?? {};
    const tensor = sample[source];
    if (!tensor) {
      throw new WhittleError(
        'data.mismatch',
        `the samples have no ${source} for the input ${port.name}; they have ${Object.keys(sample).join(', ')}`,
      );
    }
    const ordered = permutation ? permute(tensor, permutation) : tensor;
    if (!sameShape(port.shape, ordered.shape)) throw shapeMismatch('input', port, ordered.shape, source);
    feeds[port.name] = toPortType(port, ordered);
  }
  return feeds;
}

/**
 * A model's results as the source's outputs: real numbers in the source's axis order, by the source's names.
 * @throws WhittleError `data.mismatch` when an output has no counterpart of its shape in `sourceOutputs`
 */
export function adaptResults(
  ports: readonly PortInfo[],
  results: Readonly<Record<string, Tensor>>,
  adapters: PortAdapters = {},
  sourceOutputs?: Readonly<Record<string, readonly number[]>>,
): Record<string, SourceOutput> {
  const outputs: Record<string, SourceOutput> = {};
  for (const port of ports) {
    const { source = port.name, permutation } = adapters[port.name] ?? {};
    const result = results[port.name];
    const ordered = permutation ? permute(result, inverse(permutation)) : result;
    const expected = sourceOutputs?.[source];
    if (sourceOutputs && (!expected || !sameShape(expected, ordered.shape)))
      throw shapeMismatch('output', port, expected ?? [], source);
    outputs[source] = { shape: ordered.shape, values: toReals(port, ordered) };
  }
  return outputs;
}

/** One output of one sample as real numbers, row-major. */
export interface SourceOutput {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Elements as real numbers, dequantized with the port's parameters where it has them. */
export function toReals(port: PortInfo, tensor: Tensor): Float32Array {
  const values = toFloat32(tensor);
  if (!port.quant || isFloat(tensor.dtype)) return values;
  const scale = port.quant.scales[0];
  const zeroPoint = port.quant.zeroPoints[0];
  return values.map((q) => scale * (q - zeroPoint));
}

function toPortType(port: PortInfo, tensor: Tensor): Tensor {
  if (tensor.dtype === port.dtype) return tensor;
  const shape = tensor.shape;
  const range = limits[port.dtype];
  if (port.quant && range && isFloat(tensor.dtype)) {
    const target = emptyStorage(port.dtype, shape) as IntegerArray;
    const { scales, zeroPoints } = port.quant;
    return tensorOf(
      port.dtype,
      shape,
      quantizePerTensor(toFloat32(tensor), scales[0], zeroPoints[0], range, target),
    );
  }
  if (isFloat(tensor.dtype) && port.dtype === 'float32')
    return tensorOf('float32', shape, toFloat32(tensor).slice());
  if (isFloat(tensor.dtype) && port.dtype === 'float16')
    return tensorOf('float16', shape, Uint16Array.from(toFloat32(tensor), halfBits));
  if (!isFloat(tensor.dtype) && (range || port.dtype === 'int64')) return toInteger(port, tensor, range);
  throw new WhittleError(
    'data.mismatch',
    `the input ${port.name} takes ${port.dtype}, which ${tensor.dtype} samples cannot become`,
  );
}

function toInteger(port: PortInfo, tensor: Tensor, range: readonly [number, number] | undefined): Tensor {
  const values = Array.from(typedData(tensor) as ArrayLike<number | bigint>, Number);
  const outside = range && values.find((value) => value < range[0] || value > range[1]);
  if (outside !== undefined) {
    throw new WhittleError(
      'data.mismatch',
      `the sample value ${outside} does not fit the ${port.dtype} input ${port.name}`,
    );
  }
  if (port.dtype === 'int64') return tensorOf('int64', tensor.shape, BigInt64Array.from(values, BigInt));
  const target = emptyStorage(port.dtype, tensor.shape) as Exclude<
    TypedArray,
    BigInt64Array | BigUint64Array
  >;
  target.set(values);
  return tensorOf(port.dtype, tensor.shape, target);
}

function emptyStorage(dtype: DType, shape: readonly number[]): TypedArray {
  const Storage = storageArray[dtype as keyof typeof storageArray] as new (length: number) => TypedArray;
  return new Storage(elementCount(shape));
}

function sameShape(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  return (
    a.length === b.length &&
    a.every((dim, axis) => typeof dim === 'string' || typeof b[axis] === 'string' || dim === b[axis])
  );
}

function inverse(permutation: readonly number[]): number[] {
  const back = new Array<number>(permutation.length);
  permutation.forEach((axis, i) => {
    back[axis] = i;
  });
  return back;
}

function shapeMismatch(
  side: 'input' | 'output',
  port: PortInfo,
  other: readonly (number | string)[],
  source: string,
): WhittleError {
  return new WhittleError(
    'data.mismatch',
    `the ${side} ${port.name} has the shape [${port.shape.join(', ')}] but ${source} of the source has [${other.join(', ')}]`,
    { hint: 'where only the layout differs, say so with a port adapter' },
  );
}
