import { join } from 'node:path';
import { basename } from 'node:path/posix';
import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import { type ModelView, type ProgressView, Recipe } from '../contract/views.ts';
import { createProgress } from './progress.ts';
import { keepUpload, type ResolvedRef, resolveRef } from './refs.ts';
import { log, type StudioContext } from './studio-context.ts';

/** Keeps a model that was read as a new project. @returns its id */
export async function createProject(
  { store }: StudioContext,
  ref: ResolvedRef,
  model: ModelView,
): Promise<string> {
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
}

/**
 * Reads a model and makes it a project, beside the queue. Clients are told how far it is; `job.cancel` stops it.
 * @returns the project's id
 * @throws WhittleError `usage` for a job that is known already, `job.cancelled`, and what resolving and reading throw
 */
export async function openProject(
  context: StudioContext,
  ref: string,
  jobId: string,
  signal: AbortSignal,
): Promise<string> {
  if (context.openings.has(jobId)) throw new WhittleError('usage', `There is a job ${jobId} already.`);
  const controller = new AbortController();
  context.openings.set(jobId, controller);
  const abort = (): void => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  const stage = 'Reading the model';
  const title = `Open ${basename(ref.replaceAll('\\', '/'))}`;
  const started = {
    jobId,
    projectId: '',
    kind: 'open',
    title,
    stage,
    fraction: 0,
    state: 'running',
  } as const;
  const tell = (view: Partial<ProgressView>): void => context.emit('progress', { ...started, ...view });
  const progress = createProgress(tell);
  try {
    progress.begin(stage);
    const resolved = await resolveRef(ref, context);
    const model = await context.runner.run(
      'inspect',
      { path: resolved.path, inputs: {} },
      {
        signal: controller.signal,
        events: { onProgress: ({ fraction, stage }) => progress.report(fraction, stage) },
      },
    );
    const projectId = await createProject(context, resolved, model);
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
}
