import type { EventData, EventName } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import type { ModelView, ProjectView } from '../contract/views.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import { type DType, dtypes } from '../ir/dtype.ts';
import type { JobQueue } from './job-queue.ts';
import type { ProjectRecord, ProjectStore } from './project-store.ts';
import type { TaskRunner } from './tasks.ts';

/** What every handler of the studio works with. */
export interface StudioContext {
  readonly store: ProjectStore;
  readonly runner: TaskRunner;
  readonly queue: JobQueue;
  readonly shell: 'desktop' | 'web';
  /** In the browser: where streamed uploads lie, and where tickets for downloads are put. */
  readonly uploads?: string;
  readonly downloads?: string;
  /** Aborts of model openings, which run beside the queue, by job id. */
  readonly openings: Map<string, AbortController>;
  emit<K extends EventName>(name: K, data: EventData<K>): void;
}

const turns = new WeakMap<ProjectStore, Map<string, Promise<unknown>>>();

/** Changes of one project happen one after another, each on what the one before has saved. */
export function changeProject<T>(
  context: StudioContext,
  projectId: string,
  change: (record: ProjectRecord) => Promise<T>,
): Promise<T> {
  const ofStore = turns.get(context.store) ?? new Map<string, Promise<unknown>>();
  turns.set(context.store, ofStore);
  const before = ofStore.get(projectId) ?? Promise.resolve();
  const result = before.then(async () => change(await context.store.load(projectId)));
  const settled = result.catch(() => {});
  ofStore.set(projectId, settled);
  void settled.then(() => {
    if (ofStore.get(projectId) === settled) ofStore.delete(projectId);
  });
  return result;
}

/** Tells every client how the project is now. */
export async function announce(context: StudioContext, projectId: string): Promise<ProjectView> {
  const view = await context.store.view(projectId);
  context.emit('project', view);
  return view;
}

export function log(context: StudioContext, level: 'info' | 'warning' | 'error', message: string): void {
  context.emit('log', { time: new Date().toISOString(), level, message });
}

/**
 * The inputs that samples are for.
 * @throws WhittleError `model.dynamic-dims` naming every open dimension, `model.invalid` when the model has no graph.
 */
export function inputSpecs(model: ModelView): InputSpec[] {
  const open = model.source.inputs.flatMap((input) =>
    input.shape.flatMap((dim, axis) => (typeof dim === 'string' ? [`${input.name}[${axis}] (${dim})`] : [])),
  );
  if (open.length > 0) {
    throw new WhittleError('model.dynamic-dims', `The model leaves dimensions open: ${open.join(', ')}.`, {
      hint: 'Settle the shapes first.',
    });
  }
  return model.source.inputs.map((input) => {
    const dtype = dtypes.find((known) => known === input.dtype);
    if (dtype) return { name: input.name, dtype: dtype as DType, shape: input.shape as number[] };
    throw new WhittleError('model.invalid', `Input ${input.name} has the type ${input.dtype}.`);
  });
}
