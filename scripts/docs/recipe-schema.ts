// `node scripts/docs/recipe-schema.ts`: writes docs/recipe.schema.json, which editors check recipes against.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { Recipe } from '../../core/contract/views.ts';

export const schemaFile = join(dirname(fileURLToPath(import.meta.url)), '../../docs/recipe.schema.json');

/** The JSON Schema of a recipe file, as text: what may be written, with the defaults of what is left out. */
export function recipeSchema(): string {
  const schema = z.toJSONSchema(Recipe.strict(), { io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'Recipe of Whittle' }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(schemaFile, recipeSchema());
