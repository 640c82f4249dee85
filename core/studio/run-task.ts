import type { DoctorView } from '../contract/views.ts';
import type { Engines } from '../ir/engine.ts';
import type { TaskEvents, TaskName, TaskParams, Tasks } from './tasks.ts';

/** Where a task runs: the engines of the machine, and the ears of whoever asked. */
export interface TaskContext extends TaskEvents {
  readonly engines: Engines;
  readonly engineStatus: () => Promise<DoctorView['engines']>;
  readonly signal: AbortSignal;
}

type Implementations = {
  [K in TaskName]: (params: Tasks[K]['params'], context: TaskContext) => Promise<Tasks[K]['result']>;
};

/** Each task loads only what it needs: a worker that draws a contact sheet never sees a quantizer. */
const implementations: Implementations = {
  doctor: (_params, { engineStatus }) => engineStatus(),
  async inspect({ path, inputs }) {
    const { inspectModel } = await import('./inspect.ts');
    return inspectModel(path, inputs);
  },
  async targets({ path }) {
    const { modelTargets } = await import('./model-targets.ts');
    return modelTargets(path);
  },
  async graph({ path, inputs }) {
    const { viewGraph } = await import('./inspect.ts');
    return viewGraph(path, inputs);
  },
  async operators({ path, recipe }) {
    const { listOperators } = await import('./prepared-operators.ts');
    return listOperators(path, recipe);
  },
  async weights({ path, inputs, node }) {
    const { viewWeights } = await import('./weights.ts');
    return viewWeights(path, inputs, node);
  },
  async describe({ data, inputs }) {
    const { describeDataset } = await import('../data/describe.ts');
    return describeDataset(data.paths, inputs, data.preprocess);
  },
  async shapes({ data, inputs }) {
    const { proposeShapes } = await import('../data/sample-shapes.ts');
    return proposeShapes(data.paths, inputs, data.preprocess);
  },
  async preview({ data, inputs, offset, count }) {
    const [{ openDataset }, { previewSamples }] = await Promise.all([
      import('../data/open-dataset.ts'),
      import('../data/describe.ts'),
    ]);
    const dataset = await openDataset(data.paths, inputs, data.preprocess);
    try {
      return await previewSamples(dataset, inputs, offset, count);
    } finally {
      await dataset.close();
    }
  },
  async estimate(params) {
    const { estimateArtifacts } = await import('./estimate.ts');
    return estimateArtifacts(params);
  },
  async optimize(params, context) {
    const { optimize } = await import('./optimize.ts');
    return optimize({ ...params, force: true, detail: true }, context);
  },
  async profile(params, context) {
    const { profileModels } = await import('./profile-models.ts');
    return profileModels(params, context);
  },
};

/** Runs one task here. @throws WhittleError what the task threw. */
export function runTask<K extends TaskName>(
  name: K,
  params: TaskParams<K>,
  context: TaskContext,
): Promise<Tasks[K]['result']> {
  const run = implementations[name] as Implementations[K];
  return run(params, context) as Promise<Tasks[K]['result']>;
}
