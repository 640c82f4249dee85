import { expect, it } from 'vitest';
import type { RecipeChange } from '../../core/contract/views.ts';
import { changeWords } from './change-words.ts';

it.each<[RecipeChange, string]>([
  [{ precision: 'int8', io: 'int8', pureInteger: true }, 'pure integer'],
  [{ precision: 'float16', io: 'float32' }, 'float16'],
  [{ io: 'float32' }, 'float32 I/O'],
  [{ calibration: 'mse', samples: 200 }, 'least error (MSE) ranges, 200 samples'],
  [{ overrides: [{ match: 'conv_1', precision: 'float32' }] }, 'conv_1 in float32'],
  [
    { overrides: [{ match: 'backbone/stage_4/block_2/expand/conv', precision: 'int16x8' }] },
    '…e_4/block_2/expand/conv in int16x8',
  ],
])('%j', (change, words) => {
  expect(changeWords(change)).toBe(words);
  expect(changeWords(change).length).toBeLessThanOrEqual(60);
});
