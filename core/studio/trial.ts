import { createHash } from 'node:crypto';
import { WhittleError } from '../contract/errors.ts';
import type { ArtifactView, Recipe, RecipeChange } from '../contract/views.ts';

/** What tells the file of a trial from the one that the recipe makes. */
export interface TrialMark {
  /** The same change on the same recipe has the same one, so that trying again replaces the result. */
  readonly tag: string;
  /** What is tried, in a few words. */
  readonly label: string;
}

export interface TrialRun {
  /** Of one precision and one format. */
  readonly recipe: Recipe;
  /** Undefined where the change only asks for what the project's recipe says anyway: a precision that was not run. */
  readonly mark?: TrialMark;
}

/**
 * The recipe that makes one more file: as `artifact`, with something changed.
 * @param base what the artifact was made with
 * @param project the project's own recipe
 * @throws WhittleError `recipe.invalid` when nothing would be another than it is
 */
export function trialRun(
  artifact: Pick<ArtifactView, 'id' | 'precision' | 'io' | 'format'>,
  base: Recipe,
  project: Recipe,
  change: RecipeChange,
  label: string,
): TrialRun {
  const { precision, io, format, overrides, ...rest } = change;
  const started: Recipe = {
    ...base,
    precisions: [artifact.precision],
    formats: [artifact.format],
    io: artifact.io,
  };
  const recipe: Recipe = {
    ...started,
    ...rest,
    precisions: [precision ?? artifact.precision],
    formats: [format ?? artifact.format],
    io: io ?? artifact.io,
    overrides: [...base.overrides, ...(overrides ?? [])],
  };
  if (JSON.stringify(recipe) === JSON.stringify(started)) {
    throw new WhittleError('recipe.invalid', `${artifact.id} is made that way already.`, {
      hint: 'Change something else, or run the recipe again.',
    });
  }
  const choices = (one: Recipe): string =>
    JSON.stringify({ ...one, precisions: [], formats: [], io: undefined });
  if (choices(recipe) === choices(project)) return { recipe };
  const tag = createHash('sha256').update(choices(recipe)).digest('hex').slice(0, 8);
  return { recipe, mark: { tag, label } };
}
