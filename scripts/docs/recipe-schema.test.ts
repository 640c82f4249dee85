import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { recipeSchema, schemaFile } from './recipe-schema.ts';

it('docs/recipe.schema.json is what the contract says (npm run docs:recipe)', () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(recipeSchema());
});
