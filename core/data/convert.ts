import { type DType, isFloat, storageArray } from '../ir/dtype.ts';
import { elementCount, type Tensor, tensorOf, toFloat32, typedData } from '../ir/tensor.ts';
import { halfBits } from '../kernels/half.ts';

const integerRange: Partial<Record<DType, [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * Whether data of one type may be fed to an input of another without a doubt about its meaning: floats to floats,
 * bytes (pixels) to floats, integers to integers that hold their values. Anything else is the user's to decide.
 */
export function canConvert(from: DType, to: DType): boolean {
  if (from === to) return true;
  if (isFloat(to) && to !== 'bfloat16') return isFloat(from) || from === 'uint8' || from === 'bool';
  return integerRange[from] !== undefined && integerRange[to] !== undefined;
}

/**
 * The same values in another type. @returns a string that names the first value that does not fit, instead of a
 * tensor that would lie.
 */
export function convertTensor(tensor: Tensor, to: DType): Tensor | string {
  if (tensor.dtype === to) return tensor;
  if (to === 'float32') return tensorOf('float32', tensor.shape, toFloat32(tensor));
  const source = typedData(tensor);
  if (to === 'float64') return tensorOf(to, tensor.shape, Float64Array.from(source, Number));
  if (to === 'float16') {
    const bits = Uint16Array.from(toFloat32(tensor), halfBits);
    return tensorOf(to, tensor.shape, bits);
  }
  const range = integerRange[to];
  if (!range) return `${tensor.dtype} values have no ${to} form`;
  const [low, high] = range;
  const wide = to === 'int64' || to === 'uint64';
  const out = new storageArray[to as 'int32'](elementCount(tensor.shape)) as unknown as (number | bigint)[];
  for (let i = 0; i < source.length; i++) {
    const value = BigInt(source[i]);
    if (value < low || value > high) return `the value ${value} does not fit ${to}`;
    out[i] = wide ? value : Number(value);
  }
  return tensorOf(to, tensor.shape, out as unknown as Int32Array);
}
