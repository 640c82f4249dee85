import { describe, expect, it } from 'vitest';
import type { ComparisonView } from '../../../core/contract/views.ts';
import { describeRatio, ratioOf } from './ratio.ts';

const comparison = (ratio: number, low: number, high: number, verdict: ComparisonView['verdict']) => ({
  a: 'a.tflite',
  b: 'b.tflite',
  ratio,
  low,
  high,
  medianMsA: ratio,
  medianMsB: 1,
  rounds: 12,
  verdict,
  words: '',
});

describe('describeRatio', () => {
  it.each([
    [
      comparison(1.61, 1.55, 1.68, 'b-faster'),
      false,
      'int8 is 1.61× faster than float32, 99 % between 1.55 and 1.68.',
    ],
    [
      comparison(0.5, 0.4, 0.625, 'a-faster'),
      false,
      'float32 is 2.00× faster than int8, 99 % between 1.60 and 2.50.',
    ],
    [
      comparison(0.5, 0.4, 0.625, 'a-faster'),
      true,
      'int8 is 2.00× faster than float32, 99 % between 1.60 and 2.50.',
    ],
    [
      comparison(1.005, 1.001, 1.009, 'unclear'),
      false,
      'No clear difference between float32 and int8: the ratio is 1.00, 99 % between 1.00 and 1.01.',
    ],
  ])('%o', (view, turned, sentence) =>
    expect(describeRatio('float32', 'int8', ratioOf(view, turned))).toBe(sentence),
  );
});
