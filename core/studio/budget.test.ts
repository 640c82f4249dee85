import { expect, test } from 'vitest';
import { Recipe } from '../contract/views.ts';
import { budgetWarnings, isBudgetWarning } from './budget.ts';

const quality = { samples: 10, sqnrDb: 30, cosine: 1, maxAbsError: 0 };

test.each([
  { name: 'no budget', recipe: {}, quality, codes: [] },
  {
    name: 'within',
    recipe: { maxSizeBytes: 100, maxDropPercent: 1 },
    quality: { ...quality, top1Agreement: 0.99 },
    codes: [],
  },
  { name: 'too large', recipe: { maxSizeBytes: 99 }, quality, codes: ['budget.size'] },
  {
    name: 'labels count before agreement',
    recipe: { maxDropPercent: 1 },
    quality: { ...quality, top1Agreement: 0.9, accuracy: 0.95, referenceAccuracy: 0.955 },
    codes: [],
  },
  {
    name: 'accuracy lost',
    recipe: { maxDropPercent: 1 },
    quality: { ...quality, accuracy: 0.9, referenceAccuracy: 0.95 },
    codes: ['budget.drop'],
  },
  {
    name: 'answers changed',
    recipe: { maxDropPercent: 1 },
    quality: { ...quality, top1Agreement: 0.9 },
    codes: ['budget.drop'],
  },
  { name: 'nothing to tell a drop by', recipe: { maxDropPercent: 1 }, quality, codes: [] },
])('$name', ({ recipe, quality, codes }) => {
  const warnings = budgetWarnings({ sizeBytes: 100, quality }, Recipe.parse(recipe));
  expect(warnings.map((warning) => warning.code)).toEqual(codes);
  expect(warnings.every(isBudgetWarning)).toBe(true);
});
