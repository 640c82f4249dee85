import { openNpyFile, openNpzEntry } from '../../core/data/array-source.ts';
import { openZip } from '../../core/data/zip-file.ts';
import { elementCount, type Tensor, toFloat32 } from '../../core/ir/tensor.ts';

/** All arrays of an .npz, whole. */
export async function readNpz(path: string): Promise<Record<string, Tensor>> {
  const zip = await openZip(path);
  const arrays: Record<string, Tensor> = {};
  for (const entry of zip.entries) {
    const name = entry.name.replace(/\.npy$/, '');
    const source = await openNpzEntry(zip, entry, name);
    arrays[name] = { dtype: source.dtype, shape: source.shape, bytes: (await source.all()).slice() };
    await source.close();
  }
  await zip.close();
  return arrays;
}

export async function readNpy(path: string): Promise<Tensor> {
  const source = await openNpyFile(path, path);
  const tensor = { dtype: source.dtype, shape: source.shape, bytes: (await source.all()).slice() };
  await source.close();
  return tensor;
}

/** Row `index` along the first axis, as float32 and scaled. */
export function row(array: Tensor, index: number, scale = 1, offset = 0): Float32Array {
  const size = elementCount(array.shape.slice(1));
  const rowBytes = array.bytes.byteLength / array.shape[0];
  const part = {
    dtype: array.dtype,
    shape: [size],
    bytes: array.bytes.slice(index * rowBytes, (index + 1) * rowBytes),
  };
  const values = toFloat32(part);
  return scale === 1 && offset === 0 ? values : values.map((value) => value * scale + offset);
}

/** Running 10·log10(Σ ref² ÷ Σ (ref − out)²). */
export class Sqnr {
  private signal = 0;
  private noise = 0;

  add(reference: ArrayLike<number>, output: ArrayLike<number>): void {
    if (reference.length !== output.length)
      throw new Error(`${reference.length} against ${output.length} elements`);
    for (let i = 0; i < reference.length; i++) {
      this.signal += reference[i] ** 2;
      this.noise += (reference[i] - output[i]) ** 2;
    }
  }

  get decibels(): number {
    return this.noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(this.signal / this.noise);
  }
}

export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
