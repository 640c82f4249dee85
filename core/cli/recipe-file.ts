import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { WhittleError } from '../contract/errors.ts';
import { Preprocess, Recipe } from '../contract/views.ts';

/** A recipe from a file, if there is one, with the choices given beside it on top. @throws WhittleError `recipe.invalid`. */
export async function readRecipe(path: string | undefined, given: Partial<Recipe>): Promise<Recipe> {
  const saved = path === undefined ? {} : ((await readJsonFile(path)) as object);
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parse(Recipe.strict(), { ...saved, ...chosen }, path ?? 'The recipe');
}

/** How pictures are prepared, from a JSON file. @throws WhittleError `recipe.invalid`. */
export async function readPreprocess(path: string): Promise<Preprocess> {
  return parse(Preprocess.strict(), await readJsonFile(path), path);
}

async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new WhittleError('file.not-found', `${path} cannot be read.`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WhittleError('recipe.invalid', `${path} is not JSON: ${(error as Error).message}.`);
  }
}

function parse<T extends z.ZodType>(schema: T, value: unknown, name: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    code: 'recipe.invalid',
    severity: 'error' as const,
    node: issue.path.join('.'),
    message: `${issue.path.join('.') || 'it'}: ${issue.message}`,
  }));
  throw new WhittleError(
    'recipe.invalid',
    `${name} is not valid: ${issues.map(({ message }) => message).join('; ')}.`,
    {
      issues,
    },
  );
}
