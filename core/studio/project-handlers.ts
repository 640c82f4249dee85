import { join } from 'node:path';
import { basename } from 'node:path/posix';
import type { Handlers } from '../contract/api.ts';
import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import {
  type DatasetView,
  type ModelView,
  type Preprocess,
  type ProgressView,
  Recipe,
} from '../contract/views.ts';
import { writePythonScript } from '../report/python/python-script.ts';
import { createProgress } from './progress.ts';
import type { ProjectRecord } from './project-store.ts';
import { keepUpload, type ResolvedRef, resolveRef } from './refs.ts';
import { announce, changeProject, inputSpecs, log, type StudioContext } from './studio-context.ts';

type ProjectHandlers = Pick<
  Handlers,
  | 'project.list'
  | 'project.open'
  | 'project.remove'
  | 'model.open'
  | 'model.openSample'
  | 'model.settleInputs'
  | 'model.graph'
  | 'model.operators'
  | 'model.weights'
  | 'data.attach'
  | 'data.detach'
  | 'data.setPreprocess'
  | 'data.preview'
  | 'recipe.set'
  | 'recipe.python'
>;

/** Projects, their model, their samples and their recipe. */
export function projectHandlers(context: StudioContext): ProjectHandlers {
  const { store, runner } = context;

  const createProject = async (ref: ResolvedRef, model: ModelView): Promise<string> => {
    const id = await store.allot();
    const modelPath = await keepUpload(ref, join(store.folder(id), 'source'));
    const kept = { ...model, source: { ...model.source, path: modelPath } };
    const openedAt = new Date().toISOString();
    await store.save({
      schema: 'whittle.project/1',
      id,
      name: model.source.name,
      openedAt,
      modelPath,
      model: kept,
      recipe: Recipe.parse({}),
    });
    return id;
  };

  const open = async (ref: string, jobId: string, signal: AbortSignal) => {
    const controller = new AbortController();
    if (context.openings.has(jobId)) throw new WhittleError('usage', `There is a job ${jobId} already.`);
    context.openings.set(jobId, controller);
    const abort = (): void => controller.abort();
    signal.addEventListener('abort', abort, { once: true });
    const title = `Open ${basename(ref.replaceAll('\\', '/'))}`;
    const tell = (view: Partial<ProgressView>): void =>
      context.emit('progress', {
        jobId,
        projectId: '',
        kind: 'open',
        title,
        stage: 'Reading the model',
        fraction: 0,
        state: 'running',
        ...view,
      });
    const progress = createProgress((update) => tell(update));
    try {
      progress.begin('Reading the model');
      const resolved = await resolveRef(ref, context);
      const model = await runner.run(
        'inspect',
        { path: resolved.path, inputs: {} },
        {
          signal: controller.signal,
          events: { onProgress: ({ fraction, stage }) => progress.report(fraction, stage) },
        },
      );
      const projectId = await createProject(resolved, model);
      progress.finish();
      tell({ projectId, stage: 'Done', fraction: 1, state: 'done' });
      log(context, 'info', `Opened ${model.source.name}.`);
      return projectId;
    } catch (thrown) {
      const error = toErrorView(thrown);
      progress.finish();
      tell(error.code === 'job.cancelled' ? { state: 'cancelled' } : { state: 'failed', error });
      throw thrown;
    } finally {
      signal.removeEventListener('abort', abort);
      context.openings.delete(jobId);
    }
  };

  const describeSamples = (
    record: ProjectRecord,
    paths: readonly string[],
    preprocess: Preprocess | undefined,
    signal: AbortSignal,
  ): Promise<DatasetView> =>
    runner.run('describe', { data: { paths, preprocess }, inputs: inputSpecs(record.model) }, { signal });

  /** The project with what is open in its model's inputs settled by the samples, as far as they do. */
  const settleBySamples = async (
    record: ProjectRecord,
    paths: readonly string[],
    signal: AbortSignal,
  ): Promise<ProjectRecord> => {
    const { model, recipe, modelPath } = record;
    if (model.graph.dynamicDims.length === 0) return record;
    const data = { paths, preprocess: recipe.preprocess };
    const found = await runner.run('shapes', { data, inputs: model.source.inputs }, { signal });
    if (Object.keys(found).length === 0) return record;
    const shapes = { ...found, ...recipe.shapes };
    const settled = await runner.run(
      'inspect',
      { path: modelPath, inputs: { shapes, fixed: recipe.fixed } },
      { signal },
    );
    const list = Object.entries(found).map(([name, shape]) => `${name} ${shape.join('×')}`);
    log(context, 'info', `The samples settle the open dimensions: ${list.join(', ')}.`);
    return { ...record, model: settled, recipe: { ...recipe, shapes } };
  };

  const attach = (projectId: string, refs: readonly string[], signal: AbortSignal) =>
    changeProject(context, projectId, async (loaded) => {
      const resolved = await Promise.all(refs.map((ref) => resolveRef(ref, context)));
      const given = resolved.map((ref) => ref.path);
      const record = await settleBySamples(loaded, given, signal);
      const view = await describeSamples(record, given, record.recipe.preprocess, signal);
      const paths: string[] = [];
      for (const ref of resolved) paths.push(await keepUpload(ref, join(store.folder(projectId), 'data')));
      const kept = { ...view, path: given.length === 1 ? paths[0] : view.path };
      await store.save({ ...record, data: { paths, view: kept } });
      return kept;
    });

  return {
    'project.list': () => store.list(),
    async 'project.open'({ projectId }) {
      await changeProject(context, projectId, (record) =>
        store.save({ ...record, openedAt: new Date().toISOString() }),
      );
      return store.view(projectId);
    },
    async 'project.remove'({ projectId }) {
      context.queue.cancelProject(projectId);
      await store.remove(projectId);
      return {};
    },
    async 'model.open'({ ref, jobId }, { signal }) {
      return store.view(await open(ref, jobId, signal));
    },
    async 'model.openSample'(_params, { signal }) {
      const folder = (await resolveRef('sample:digits', context)).path;
      const model = await runner.run('inspect', { path: join(folder, 'digits.h5'), inputs: {} }, { signal });
      const projectId = await createProject({ path: join(folder, 'digits.h5') }, model);
      await changeProject(context, projectId, async (record) => {
        const paths = [join(folder, 'samples.npz')];
        const view = await describeSamples(record, paths, undefined, signal);
        await store.save({ ...record, name: 'Sample: handwritten digits', data: { paths, view } });
      });
      return store.view(projectId);
    },
    async 'model.settleInputs'({ projectId, shapes, fixed }, { signal }) {
      const model = await changeProject(context, projectId, async (record) => {
        const model = await runner.run(
          'inspect',
          { path: record.modelPath, inputs: { shapes, fixed } },
          { signal },
        );
        const next = { ...record, model, recipe: { ...record.recipe, shapes, fixed } };
        // Samples were checked against the old shapes.
        const view =
          record.data &&
          (await describeSamples(next, record.data.paths, record.recipe.preprocess, signal).catch(
            (error: Error) => {
              log(context, 'warning', `The samples were detached: ${error.message}`);
              return undefined;
            },
          ));
        await store.save({ ...next, data: view && record.data && { paths: record.data.paths, view } });
        return model;
      });
      await announce(context, projectId);
      return model;
    },
    async 'model.graph'({ projectId }, { signal }) {
      const record = await store.load(projectId);
      return runner.run('graph', { path: record.modelPath, inputs: record.recipe }, { signal });
    },
    async 'model.operators'({ projectId }, { signal }) {
      const { modelPath, recipe } = await store.load(projectId);
      return runner.run('operators', { path: modelPath, recipe }, { signal });
    },
    async 'model.weights'({ projectId, node }, { signal }) {
      const { modelPath, recipe } = await store.load(projectId);
      return runner.run('weights', { path: modelPath, inputs: recipe, node }, { signal });
    },
    async 'data.attach'({ projectId, refs }, { signal }) {
      const view = await attach(projectId, refs, signal);
      await announce(context, projectId);
      return view;
    },
    async 'data.detach'({ projectId }) {
      await changeProject(context, projectId, (record) => store.save({ ...record, data: undefined }));
      await announce(context, projectId);
      return {};
    },
    async 'data.setPreprocess'({ projectId, preprocess }, { signal }) {
      const view = await changeProject(context, projectId, async (record) => {
        const { data } = record;
        if (!data) {
          throw new WhittleError('data.missing', 'There are no samples to prepare yet.', {
            hint: 'Attach samples first.',
          });
        }
        const view = await describeSamples(record, data.paths, preprocess, signal);
        await store.save({ ...record, data: { ...data, view }, recipe: { ...record.recipe, preprocess } });
        return view;
      });
      await announce(context, projectId);
      return view;
    },
    async 'data.preview'({ projectId, offset, count }, { signal }) {
      const { data, model, recipe } = await store.load(projectId);
      if (!data) return [];
      const source = { paths: data.paths, preprocess: recipe.preprocess };
      return runner.run('preview', { data: source, inputs: inputSpecs(model), offset, count }, { signal });
    },
    'recipe.set': ({ projectId, recipe }) =>
      changeProject(context, projectId, async (record) => {
        await store.save({ ...record, recipe });
        return recipe;
      }),
    async 'recipe.python'({ projectId }) {
      const { recipe, model } = await store.load(projectId);
      return writePythonScript(recipe, model.source);
    },
  };
}
