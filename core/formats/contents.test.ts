import { describe, expect, it } from 'vitest';
import { permute, type Tensor, tensorOf } from '../ir/tensor.ts';
import { Contents } from './contents.ts';

const large = 100_000;

function floats(change?: { at: number; to: number }, shape: readonly number[] = [large]): Tensor {
  const data = Float32Array.from({ length: large }, (_, i) => Math.sin(i));
  if (change) data[change.at] = change.to;
  return tensorOf('float32', shape, data);
}

describe('Contents', () => {
  it('gives equal bytes one number, whatever the shape and the order that they are kept in', () => {
    const contents = new Contents();
    const first = contents.numberOf(floats());
    expect(contents.numberOf(floats(undefined, [100, 1000]))).toBe(first);
    const columns = tensorOf('float32', [1000, 100], new Float32Array(large));
    const rows = new Float32Array(columns.bytes.buffer as ArrayBuffer);
    for (let r = 0; r < 100; r++)
      for (let c = 0; c < 1000; c++) rows[c * 100 + r] = Math.fround(Math.sin(r * 1000 + c));
    expect(contents.numberOf(permute(columns, [1, 0]))).toBe(first);
  });

  it.each([0, 1, 777, large - 1])('tells contents apart that differ in element %i alone', (at) => {
    const contents = new Contents();
    expect(contents.numberOf(floats({ at, to: 3 }))).not.toBe(contents.numberOf(floats()));
  });

  it('tells small contents apart by every byte and by their length', () => {
    const contents = new Contents();
    const texts = ['', 'a', 'b', 'ab', 'ba', 'a\0'].map((text) => Uint8Array.from(Buffer.from(text)));
    const numbers = texts.map((bytes) => contents.numberOf(tensorOf('uint8', [bytes.length], bytes)));
    expect(new Set(numbers).size).toBe(texts.length);
    expect(contents.numberOf(tensorOf('int8', [2], Int8Array.of(97, 98)))).toBe(numbers[3]);
  });

  it('takes 4-bit tensors', () => {
    const contents = new Contents();
    const packed = (last: number): Tensor => {
      const bytes = new Uint8Array(10_000).fill(0x21);
      bytes[9999] = last;
      return { dtype: 'int4', shape: [2, 10_000], bytes };
    };
    expect(contents.numberOf(packed(1))).not.toBe(contents.numberOf(packed(2)));
    expect(contents.numberOf(packed(1))).toBe(0);
  });
});
