import { describe, expect, it } from 'vitest';
import { shapeText } from './infer-helpers.ts';

describe('a shape in words', () => {
  it('names open dimensions, but not long terms of them', () => {
    expect(shapeText([1, 'batch', 3])).toBe('[1, batch, 3]');
    expect(shapeText(['ceil(width/2)'])).toBe('[ceil(width/2)]');
    expect(shapeText([1, 'windows(windows(length,3,2,2),3,2,2)'])).toBe('[1, ?]');
  });
});
