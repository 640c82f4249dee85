import { join } from 'node:path';
import type { DatasetView, Preprocess } from '../contract/views.ts';
import type { ProjectRecord } from './project-store.ts';
import { keepUpload, resolveRef } from './refs.ts';
import { changeProject, inputSpecs, log, type StudioContext } from './studio-context.ts';

/** What samples are, checked against the inputs of a project's model. @throws WhittleError where they do not fit */
export function describeSamples(
  { runner }: StudioContext,
  { model }: ProjectRecord,
  paths: readonly string[],
  preprocess: Preprocess | undefined,
  signal: AbortSignal,
): Promise<DatasetView> {
  return runner.run('describe', { data: { paths, preprocess }, inputs: inputSpecs(model) }, { signal });
}

/**
 * Gives a project samples, and settles what is open in its model's inputs by them.
 * @throws WhittleError as `describeSamples`; nothing is attached then
 */
export function attachSamples(
  context: StudioContext,
  projectId: string,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<DatasetView> {
  const { store } = context;
  return changeProject(context, projectId, async (loaded) => {
    const resolved = await Promise.all(refs.map((ref) => resolveRef(ref, context)));
    const given = resolved.map((ref) => ref.path);
    const record = await settleBySamples(context, loaded, given, signal);
    const view = await describeSamples(context, record, given, record.recipe.preprocess, signal);
    const paths: string[] = [];
    for (const ref of resolved) paths.push(await keepUpload(ref, join(store.folder(projectId), 'data')));
    const kept = { ...view, path: given.length === 1 ? paths[0] : view.path };
    await store.save({ ...record, data: { paths, view: kept } });
    return kept;
  });
}

/** The project with what is open in its model's inputs settled by the samples, as far as they do. */
async function settleBySamples(
  context: StudioContext,
  record: ProjectRecord,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ProjectRecord> {
  const { runner } = context;
  const { model, recipe, modelPath } = record;
  if (model.graph.dynamicDims.length === 0) return record;
  const data = { paths, preprocess: recipe.preprocess };
  const found = await runner.run('shapes', { data, inputs: model.source.inputs }, { signal });
  if (Object.keys(found).length === 0) return record;
  const shapes = { ...found, ...recipe.shapes };
  const inputs = { shapes, fixed: recipe.fixed };
  const settled = await runner.run('inspect', { path: modelPath, inputs }, { signal });
  const list = Object.entries(found).map(([name, shape]) => `${name} ${shape.join('×')}`);
  log(context, 'info', `The samples settle the open dimensions: ${list.join(', ')}.`);
  return { ...record, model: settled, recipe: { ...recipe, shapes } };
}
