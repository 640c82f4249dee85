import { WhittleError } from '../../../core/contract/errors.ts';
import {
  type ArtifactView,
  type Override,
  type ProjectView,
  type PythonScript,
  Recipe,
} from '../../../core/contract/views.ts';
import { call } from '../../client/core.ts';
import type { Picked } from '../../client/shell.ts';
import { artifactName } from '../../theme/precision.ts';
import { withOverride } from '../overrides.ts';
import { useProject } from '../project.ts';
import { useUndo } from '../undo.ts';
import { useView } from '../view.ts';
import { attempt } from './attempt.ts';
import { refreshEstimates } from './project.ts';

const sendAfterMs = 150;
/** What the screen shows and the core does not have yet. */
let waiting: { projectId: string; recipe: Recipe; timer: ReturnType<typeof setTimeout> } | undefined;

/** Shows a recipe at once and sends it when the edits pause. */
function applyRecipe(projectId: string, recipe: Recipe): void {
  useProject.getState().patch(projectId, { recipe });
  clearTimeout(waiting?.timer);
  waiting = { projectId, recipe, timer: setTimeout(() => void flushRecipe(), sendAfterMs) };
}

/** Sends what is still waiting; a run starts from what the screen shows. */
export async function flushRecipe(): Promise<void> {
  const sending = waiting;
  if (!sending) return;
  clearTimeout(sending.timer);
  const { projectId, recipe } = sending;
  await attempt('Saving the recipe', () => call('recipe.set', { projectId, recipe }));
  if (waiting === sending) waiting = undefined;
  await refreshEstimates();
}

/** A project as the core sent it, with the edits that the core has not seen when it sent it. */
export function withWaitingRecipe(project: ProjectView): ProjectView {
  return waiting?.projectId === project.id ? { ...project, recipe: waiting.recipe } : project;
}

/** Edits the recipe; the edit can be undone. Edits with one `key` in quick succession are undone together. */
export function editRecipe(change: Partial<Recipe>, label: string, key?: string): void {
  const project = useProject.getState().project;
  if (!project) return;
  const before = project.recipe;
  applyRecipe(project.id, { ...before, ...change });
  useUndo.getState().push({ label, key, undo: () => applyRecipe(project.id, before) });
}

/** Gives one operator a precision of its own in the next run; none takes it away. */
export function setOverride(name: string, precision: Override['precision'] | undefined): void {
  const recipe = useProject.getState().project?.recipe;
  if (!recipe) return;
  editRecipe(
    { overrides: withOverride(recipe.overrides, name, precision) },
    precision ? `${name} in ${precision}` : `${name} as the file`,
  );
}

/** Makes the choices that a result was made with those of the next run; which precisions to run stays. */
export function adoptRecipe(artifact: ArtifactView, made: Recipe | undefined): void {
  const recipe = useProject.getState().project?.recipe;
  if (!recipe || !made) return;
  const { precisions, formats } = recipe;
  const name = artifactName(artifact);
  editRecipe(
    {
      ...made,
      precisions: precisions.includes(artifact.precision) ? precisions : [...precisions, artifact.precision],
      formats: formats.includes(artifact.format) ? formats : [...formats, artifact.format],
    },
    `recipe of ${name}`,
  );
  useView.getState().showToast(`The next run does as ${name} was made.`, {
    label: 'Undo',
    run: () => void useUndo.getState().pop(),
  });
}

/** The recipe as a Python script for the usual tools. */
export async function readPython(): Promise<PythonScript | undefined> {
  const project = useProject.getState().project;
  if (!project) return undefined;
  return attempt('Writing the Python script', async () => {
    await flushRecipe();
    return call('recipe.python', { projectId: project.id });
  });
}

/** Reads a recipe file and applies it to the open project. */
export async function openRecipe(picked: Picked): Promise<void> {
  await attempt(`Applying ${picked.name}`, async () => {
    const file = picked.files[0]?.file;
    const text = await file?.text();
    let content: unknown;
    try {
      content = JSON.parse(text ?? '');
    } catch (cause) {
      throw new WhittleError('recipe.invalid', `${picked.name} is not JSON.`, {
        hint: 'Drop a recipe that Whittle saved, or a file with the fields of `whittle.recipe/1`.',
        cause,
      });
    }
    const parsed = Recipe.safeParse(content);
    if (!parsed.success) {
      throw new WhittleError('recipe.invalid', `${picked.name} is not a recipe.`, {
        issues: parsed.error.issues.map(({ path, message }) => ({
          code: 'recipe.invalid',
          severity: 'error' as const,
          node: path.join('.'),
          message,
        })),
      });
    }
    editRecipe(parsed.data, `recipe ${picked.name}`);
    useView.getState().showToast(`The recipe of ${picked.name} is applied.`, {
      label: 'Undo',
      run: () => void useUndo.getState().pop(),
    });
    useView.getState().goTo('optimize');
  });
}
