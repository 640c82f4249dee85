import { describe, expect, it } from 'vitest';
import { openDims, parseDim, settledShapes, typeDim } from './shapes.ts';

const inputs = [
  { name: 'image', dtype: 'float32', shape: ['batch', 3, 'h', 224] },
  { name: 'scale', dtype: 'float32', shape: [1] },
];

describe('open dimensions', () => {
  it('are found by input and axis', () => {
    expect(openDims(inputs)).toEqual([
      { input: 'image', axis: 0, name: 'batch' },
      { input: 'image', axis: 2, name: 'h' },
    ]);
  });

  it('give whole shapes when every one has a value', () => {
    expect(settledShapes(inputs, { 'image[0]': '1' })).toBeUndefined();
    expect(settledShapes(inputs, { 'image[0]': '1', 'image[2]': '224' })).toEqual({
      image: [1, 3, 224, 224],
    });
  });

  it('with one name take one size, but not those without a name', () => {
    const dims = openDims([
      { name: 'ids', dtype: 'int64', shape: ['None', 'seq'] },
      { name: 'mask', dtype: 'int64', shape: ['None', 'seq'] },
    ]);
    expect(typeDim({}, dims, dims[1], '128')).toEqual({ 'ids[1]': '128', 'mask[1]': '128' });
    expect(typeDim({}, dims, dims[0], '1')).toEqual({ 'ids[0]': '1' });
  });

  it.each([
    ['1', 1],
    [' 224 ', 224],
    ['0', undefined],
    ['-1', undefined],
    ['2.5', undefined],
    ['', undefined],
    ['none', undefined],
  ])('"%s"', (text, value) => expect(parseDim(text)).toBe(value));
});
