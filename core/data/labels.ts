import type { Issue } from '../contract/errors.ts';
import { isFloat } from '../ir/dtype.ts';
import { toFloat32, toNumbers } from '../ir/tensor.ts';
import type { ArraySource } from './array-source.ts';

export interface Labels {
  readonly labels?: Int32Array;
  readonly issues: readonly Issue[];
}

/**
 * Class indices from an array `y` of shape [N], [N, 1], or one-hot [N, C]. Values that are no class indices (a
 * regression target) are left out with a note; a wrong count is an error.
 */
export async function readLabels(source: ArraySource, count: number, path: string): Promise<Labels> {
  const [rows, ...rest] = source.shape;
  const shape = `[${source.shape.join(', ')}]`;
  if (rows !== count) {
    const message = `${source.name} has ${rows ?? 0} labels for ${count} samples.`;
    return { issues: [{ code: 'data.mismatch', severity: 'error', message, node: source.name }] };
  }
  const tensor = { dtype: source.dtype, shape: source.shape, bytes: await source.all() };
  const values = isFloat(source.dtype) ? toFloat32(tensor) : Float64Array.from(toNumbers(tensor));
  const width = rest.reduce((product, dim) => product * dim, 1);
  if (width === 1 && rest.length <= 1) {
    if (values.every(isClassIndex)) return { labels: Int32Array.from(values), issues: [] };
    return { issues: [note(path, source.name, 'its values are not class numbers')] };
  }
  if (rest.length === 1 && isOneHot(values, width)) {
    const labels = Int32Array.from({ length: count }, (_unused, row) =>
      values.subarray(row * width, (row + 1) * width).indexOf(1),
    );
    return { labels, issues: [] };
  }
  return {
    issues: [note(path, source.name, `its shape ${shape} is neither one class per sample nor one-hot`)],
  };
}

function isClassIndex(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function isOneHot(values: Float32Array | Float64Array, width: number): boolean {
  for (let row = 0; row < values.length; row += width) {
    let ones = 0;
    for (let i = row; i < row + width; i++) {
      if (values[i] === 1) ones++;
      else if (values[i] !== 0) return false;
    }
    if (ones !== 1) return false;
  }
  return true;
}

function note(path: string, name: string, why: string): Issue {
  return {
    code: 'data.labels',
    severity: 'info',
    node: name,
    message: `The labels ${name} in ${path} are not used: ${why}.`,
    hint: 'Accuracy is computed for class numbers; quality (SQNR) is measured in any case.',
  };
}
