import { join } from 'node:path';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import { writePythonScript } from '../report/python/python-script.ts';
import { createProject, openProject } from './open-project.ts';
import { attachSamples, describeSamples } from './project-samples.ts';
import { resolveRef } from './refs.ts';
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
      return store.view(await openProject(context, ref, jobId, signal));
    },
    async 'model.openSample'(_params, { signal }) {
      const folder = (await resolveRef('sample:digits', context)).path;
      const model = await runner.run('inspect', { path: join(folder, 'digits.h5'), inputs: {} }, { signal });
      const projectId = await createProject(context, { path: join(folder, 'digits.h5') }, model);
      await changeProject(context, projectId, async (record) => {
        const paths = [join(folder, 'samples.npz')];
        const view = await describeSamples(context, record, paths, undefined, signal);
        await store.save({ ...record, name: 'Sample: handwritten digits', data: { paths, view } });
      });
      return store.view(projectId);
    },
    async 'model.settleInputs'({ projectId, shapes, fixed }, { signal }) {
      const model = await changeProject(context, projectId, async (record) => {
        const { recipe, modelPath } = record;
        const inputs = { shapes: { ...recipe.shapes, ...shapes }, fixed: fixed ?? recipe.fixed };
        const model = await runner.run('inspect', { path: modelPath, inputs }, { signal });
        const next = { ...record, model, recipe: { ...record.recipe, ...inputs } };
        // Samples were checked against the old shapes.
        const view =
          record.data &&
          (await describeSamples(context, next, record.data.paths, record.recipe.preprocess, signal).catch(
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
      const view = await attachSamples(context, projectId, refs, signal);
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
        const view = await describeSamples(context, record, data.paths, preprocess, signal);
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
