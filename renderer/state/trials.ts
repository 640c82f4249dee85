import type { ArtifactView, RecipeChange } from '../../core/contract/views.ts';
import { changeWords } from './change-words.ts';

/** The label of the result of a trial: what was tried before, and what now. */
export function trialLabel(artifact: ArtifactView, change: RecipeChange): string {
  return artifact.label === undefined ? changeWords(change) : `${artifact.label}, ${changeWords(change)}`;
}

/** The result of a trial that was made already. */
export function trialResult(
  artifacts: readonly ArtifactView[],
  artifact: ArtifactView,
  change: RecipeChange,
): ArtifactView | undefined {
  const { precision = artifact.precision, io = artifact.io, format = artifact.format, ...others } = change;
  // Another precision alone is the recipe's own file, without a label.
  const label = Object.keys(others).length > 0 ? trialLabel(artifact, change) : artifact.label;
  return artifacts.find(
    (one) =>
      one.id !== artifact.id &&
      one.precision === precision &&
      one.io === io &&
      one.format === format &&
      one.label === label,
  );
}
