import { byteLength } from '../ir/dtype.ts';
import { contiguous, elementCount, elementsAt, type Tensor } from '../ir/tensor.ts';

/** Contents up to this many bytes are told apart by all of them. */
const smallBytes = 4096;
/** So many elements of a larger one tell it from nearly every other. */
const samples = 256;

/** Tells which constants have the same bytes, so that writers store them once. Only those that look alike are compared. */
export class Contents {
  private readonly alike = new Map<string, { readonly tensor: Tensor; readonly number: number }[]>();
  private count = 0;

  /** A number that is equal for two tensors exactly when their row-major bytes are. */
  numberOf(tensor: Tensor): number {
    const key = keyOf(tensor);
    const candidates = this.alike.get(key) ?? [];
    const found = candidates.find((candidate) => haveSameBytes(candidate.tensor, tensor));
    if (found) return found.number;
    candidates.push({ tensor, number: this.count });
    this.alike.set(key, candidates);
    return this.count++;
  }
}

function keyOf(tensor: Tensor): string {
  const count = elementCount(tensor.shape);
  const bytes = byteLength(tensor.dtype, count);
  const looked = bytes <= smallBytes ? contiguous(tensor).bytes : elementsAt(tensor, spread(count));
  return `${bytes} ${Buffer.from(looked.buffer, looked.byteOffset, looked.byteLength).toString('latin1')}`;
}

/** Indexes of elements all over a tensor, by a step that keeps no time with its axes. */
function spread(count: number): number[] {
  return Array.from({ length: samples }, (_, i) => Math.floor(((i + 0.618) * count) / samples));
}

function haveSameBytes(a: Tensor, b: Tensor): boolean {
  const isSameView =
    a.bytes.buffer === b.bytes.buffer &&
    a.bytes.byteOffset === b.bytes.byteOffset &&
    String(a.strides) === String(b.strides) &&
    String(a.shape) === String(b.shape);
  return isSameView || Buffer.compare(contiguous(a).bytes, contiguous(b).bytes) === 0;
}
