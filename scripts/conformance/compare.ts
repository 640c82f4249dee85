/** Compares tensors that two engines computed. */
import { isFloat } from '../../core/ir/dtype.ts';
import { elementCount, type Tensor, toFloat32, typedData } from '../../core/ir/tensor.ts';

/** Allowed difference: `atol + rtol × |expected|`, NaN equal to NaN; integers and booleans must be equal. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

function floats(tensor: Tensor): ArrayLike<number> {
  return tensor.dtype === 'float64' ? (typedData(tensor) as Float64Array) : toFloat32(tensor);
}

/** What differs, in words, or undefined. A double may come as float32, the widest type that TFLite computes in. */
export function difference(
  expected: Tensor,
  actual: Tensor | undefined,
  { rtol, atol }: Tolerance,
): string | undefined {
  if (!actual) return 'it is missing';
  const sameType =
    expected.dtype === actual.dtype || (expected.dtype === 'float64' && actual.dtype === 'float32');
  if (!sameType) return `it is ${actual.dtype}, not ${expected.dtype}`;
  if (expected.shape.join() !== actual.shape.join())
    return `its shape is [${actual.shape.join(', ')}], not [${expected.shape.join(', ')}]`;
  if (elementCount(expected.shape) === 0) return undefined;
  if (!isFloat(expected.dtype)) {
    const [a, b] = [typedData(expected), typedData(actual)];
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return `element ${i} is ${b[i]}, not ${a[i]}`;
    return undefined;
  }
  const [a, b] = [floats(expected), floats(actual)];
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    if (!(Math.abs(a[i] - b[i]) <= atol + rtol * Math.abs(a[i])))
      return `element ${i} is ${b[i]}, not ${a[i]}`;
  }
  return undefined;
}
