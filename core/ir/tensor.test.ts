import { describe, expect, it } from 'vitest';
import { contiguous, elementCount, elementsAt, permute, Scratch, tensorOf } from './tensor.ts';

const cases: { shape: number[]; perm: number[] }[] = [
  { shape: [40, 50], perm: [1, 0] },
  { shape: [3, 3, 33, 17], perm: [3, 2, 0, 1] },
  { shape: [3, 3, 33, 17], perm: [3, 0, 1, 2] },
  { shape: [2, 1, 20, 3], perm: [2, 3, 1, 0] },
  { shape: [5, 4, 3], perm: [1, 0, 2] },
  { shape: [1, 7, 1], perm: [2, 1, 0] },
  { shape: [1, 1], perm: [1, 0] },
  { shape: [0, 4], perm: [1, 0] },
];

/** By the definition of strides, element by element. */
function laidOut(shape: readonly number[], perm: readonly number[]): number[] {
  const steps = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  let indexes = [0];
  for (const axis of perm)
    indexes = indexes.flatMap((at) => Array.from({ length: shape[axis] }, (_, i) => at + i * steps[axis]));
  return indexes;
}

describe('a permuted tensor', () => {
  it.each(cases)('of $shape by $perm is laid out row by row', ({ shape, perm }) => {
    const data = Int16Array.from({ length: elementCount(shape) }, (_, i) => i);
    const moved = permute(tensorOf('int16', shape, data), perm);
    const wanted = tensorOf('int16', moved.shape, Int16Array.from(laidOut(shape, perm)));
    expect(contiguous(moved)).toEqual(wanted);
    expect(new Scratch().bytesOf(moved)).toEqual(wanted.bytes);
    const indexes = [0, 1, 5, data.length - 1].filter((index) => index < data.length && index >= 0);
    expect(elementsAt(moved, indexes)).toEqual(elementsAt(wanted, indexes));
  });
});
