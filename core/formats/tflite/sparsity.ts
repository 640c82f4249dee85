/** Sparse constants (schema.fbs, SparsityParameters): a tree of dimensions over the elements that are not zero. */
import type { Indices, Row } from './schema.ts';

/** What sparse constants of one tensor may unfold to. */
const mostBytes = 2 ** 29;

interface Level {
  /** Where a step along this level leads, in elements of the dense tensor. */
  readonly stride: number;
  readonly size: number;
  /** Of a compressed level: where the entries of each parent begin, and the position of each entry. */
  readonly compressed?: { readonly segments: ArrayLike<number>; readonly indices: ArrayLike<number> };
}

/**
 * The dense elements of a sparse constant, row-major, zeros (bytes of 0) where nothing is stored.
 * A level of the tree is an axis of the tensor, or one within the blocks that `block_map` cuts an axis into; levels are
 * visited in `traversal_order`, and stored elements follow one another in that order.
 * @throws Error, as the end of a sentence, when the tables do not describe the elements that are there.
 */
export function denseBytes(
  stored: Uint8Array,
  sparsity: Row<'SparsityParameters'>,
  shape: readonly number[],
  elementBytes: number,
): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!(count * elementBytes <= mostBytes)) {
    throw new Error(`it unfolds to more than ${mostBytes / 2 ** 20} MiB`);
  }
  const levels = levelsOf(sparsity, shape);
  const dense = new Uint8Array(count * elementBytes);
  const storedCount = stored.byteLength / elementBytes;
  let entries = 0;
  const visit = (depth: number, parent: number, at: number): void => {
    if (depth === levels.length) {
      if (parent >= storedCount) throw new Error(`it stores ${storedCount} elements and lists more`);
      entries++;
      dense.set(stored.subarray(parent * elementBytes, (parent + 1) * elementBytes), at * elementBytes);
      return;
    }
    const { stride, size, compressed } = levels[depth];
    if (!compressed) {
      for (let i = 0; i < size; i++) visit(depth + 1, parent * size + i, at + i * stride);
      return;
    }
    const { segments, indices } = compressed;
    const [begin, end] = [segments[parent], segments[parent + 1]];
    if (!(begin >= 0 && begin <= end && end <= indices.length)) {
      throw new Error(`level ${depth} has the segment ${begin} to ${end} of ${indices.length} entries`);
    }
    for (let entry = begin, before = -1; entry < end; entry++) {
      const index = indices[entry];
      if (!(index > before && index < size)) {
        throw new Error(`level ${depth} has the index ${index} after ${before}, of ${size}`);
      }
      before = index;
      visit(depth + 1, entry, at + index * stride);
    }
  };
  visit(0, 0, 0);
  if (entries !== storedCount) throw new Error(`it stores ${storedCount} elements and lists ${entries}`);
  return dense;
}

function levelsOf(sparsity: Row<'SparsityParameters'>, shape: readonly number[]): Level[] {
  const order = sparsity.traversal_order ?? [];
  const blockMap = sparsity.block_map ?? [];
  const metadata = sparsity.dim_metadata ?? [];
  const rank = shape.length;
  const isPermutation = [...order].sort((a, b) => a - b).every((value, i) => value === i);
  if (order.length !== rank + blockMap.length || metadata.length !== order.length || !isPermutation) {
    throw new Error(`its levels [${order.join(', ')}] do not fit ${rank} axes and ${blockMap.length} blocks`);
  }
  const blockSizes = shape.map(() => 1);
  order.forEach((dimension, level) => {
    if (dimension < rank) return;
    const axis = blockMap[dimension - rank];
    const size = metadata[level].dense_size;
    if (!(axis >= 0 && axis < rank) || size < 1 || blockSizes[axis] !== 1 || shape[axis] % size !== 0) {
      throw new Error(`blocks of ${size} do not fit axis ${axis} of [${shape.join(', ')}]`);
    }
    blockSizes[axis] = size;
  });
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return order.map((dimension, level): Level => {
    const isBlock = dimension >= rank;
    const axis = isBlock ? blockMap[dimension - rank] : dimension;
    const size = isBlock ? blockSizes[axis] : shape[axis] / blockSizes[axis];
    const stride = isBlock ? strides[axis] : strides[axis] * blockSizes[axis];
    const { format, dense_size, array_segments, array_indices } = metadata[level];
    if (format !== 0) {
      return {
        stride,
        size,
        compressed: { segments: numbersOf(array_segments), indices: numbersOf(array_indices) },
      };
    }
    if (dense_size !== size) throw new Error(`level ${level} has the size ${dense_size}, not ${size}`);
    return { stride, size };
  });
}

function numbersOf(indices: Indices | undefined): ArrayLike<number> {
  return indices?.values ?? [];
}
