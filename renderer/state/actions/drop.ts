import { kindOfFile } from '../../client/file-kinds.ts';
import type { Picked } from '../../client/shell.ts';
import { useProject } from '../project.ts';
import { useView } from '../view.ts';
import { attachData } from './data.ts';
import { openModel } from './project.ts';
import { openRecipe } from './recipe.ts';

export interface DropPlan {
  model?: Picked;
  recipe?: Picked;
  data: Picked[];
  /** Why nothing can be done with some of it. */
  refusals: { message: string; hint: string }[];
}

/**
 * Sorts what was dropped: one model with the files that belong to it (external weights), samples, one recipe.
 * @param hasProject samples and recipes need an open project, or a model in the same drop.
 */
export function planDrop(picked: readonly Picked[], hasProject: boolean): DropPlan {
  const of = (kind: string): Picked[] => picked.filter((one) => kindOfFile(one) === kind);
  const models = of('model');
  const others = of('unknown');
  const plan: DropPlan = { data: of('data'), recipe: of('recipe')[0], refusals: [] };
  if (models.length > 1) {
    const names = models.map(({ name }) => name).join(', ');
    plan.refusals.push({
      message: `${models.length} models were dropped (${names}); a project has one.`,
      hint: 'Drop one model at a time.',
    });
  } else if (models.length === 1) {
    plan.model = { ...models[0], files: [...models[0].files, ...others.flatMap(({ files }) => files)] };
  } else if (others.length > 0) {
    plan.refusals.push({
      message: `${others[0].name} is neither a model, nor samples, nor a recipe.`,
      hint: 'Models are .h5, .keras, .onnx, .tflite, .pb, a SavedModel folder or a TF.js model.json; samples are .npz, .npy, .csv, images or a folder; recipes are .json.',
    });
  }
  if (!plan.model && !hasProject && (plan.data.length > 0 || plan.recipe)) {
    const what = plan.data[0] ?? plan.recipe;
    plan.refusals.push({
      message: `${what?.name} cannot be used yet: no model is open.`,
      hint: 'Drop the model first, or together with it.',
    });
    plan.data = [];
    plan.recipe = undefined;
  }
  return plan;
}

/** Does with dropped or picked things what they are for. */
export async function takePicked(picked: readonly Picked[]): Promise<void> {
  if (picked.length === 0) return;
  const plan = planDrop(picked, useProject.getState().project !== undefined);
  for (const { message, hint } of plan.refusals)
    useView.getState().notify('Drop', { code: 'usage', message, hint, issues: [] });
  if (plan.model) await openModel(plan.model);
  if (plan.data.length > 0) await attachData(plan.data);
  if (plan.recipe) await openRecipe(plan.recipe);
}

/** What a drop would do, told from what the browser reveals while dragging: counts and media types, no names. */
export function describeDrop(
  items: readonly { kind: string; type: string }[],
  projectName: string | undefined,
): string {
  const files = items.filter(({ kind }) => kind === 'file');
  if (files.length === 0) return 'Nothing here can be opened: drop files or a folder.';
  const all = (test: (type: string) => boolean): boolean => files.every(({ type }) => test(type));
  const count = files.length === 1 ? 'this' : `these ${files.length}`;
  if (!projectName) return 'Drop to open the model.';
  if (all((type) => type.startsWith('image/') || type.startsWith('audio/') || type === 'text/csv'))
    return `Drop to attach ${count} as samples for ${projectName}.`;
  if (all((type) => type === 'application/json')) return `Drop to apply this recipe to ${projectName}.`;
  return `Drop a model to open it, or samples to attach them to ${projectName}.`;
}
