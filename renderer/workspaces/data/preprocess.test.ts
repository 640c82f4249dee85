import { describe, expect, it } from 'vitest';
import { fromDraft, ranges, toDraft } from './preprocess.ts';

const plain = { fit: 'stretch', colour: 'rgb', mean: [0], scale: [1] } as const;

describe('the preprocessing form', () => {
  it('gives back what it was given', () => {
    const full = {
      size: [224, 160] as [number, number],
      fit: 'crop' as const,
      colour: 'bgr' as const,
      mean: [123.675, 116.28, 103.53],
      scale: [58.395],
      layout: 'NCHW' as const,
    };
    expect(fromDraft(toDraft(full))).toEqual({ preprocess: full, problems: {} });
  });

  it.each([
    [{ height: '224' }, 'size'],
    [{ height: '0', width: '3' }, 'size'],
    [{ mean: '' }, 'mean'],
    [{ mean: '1, 2' }, 'mean'],
    [{ scale: 'x' }, 'scale'],
    [{ scale: '0' }, 'scale'],
  ])('names the field that cannot be read: %o', (change, field) => {
    const result = fromDraft({ ...toDraft({ ...plain, mean: [0], scale: [1] }), ...change });
    expect(Object.keys(result.problems)).toEqual([field]);
    expect(result.preprocess).toBeUndefined();
  });

  it('offers ranges that can be read', () => {
    for (const { mean, scale } of ranges)
      expect(fromDraft({ ...toDraft({ ...plain, mean: [0], scale: [1] }), mean, scale }).problems).toEqual(
        {},
      );
  });
});
