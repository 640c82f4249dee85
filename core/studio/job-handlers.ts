import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import type { ProfileView } from '../contract/views.ts';
import type { ProgressUpdate } from './progress.ts';
import { announce, changeProject, log, type StudioContext } from './studio-context.ts';
import { type TrialRun, trialRun } from './trial.ts';

type JobHandlers = Pick<
  Handlers,
  'optimize.estimate' | 'optimize.start' | 'profile.start' | 'profile.list' | 'job.list' | 'job.cancel'
>;

type Params<K extends keyof JobHandlers> = Parameters<JobHandlers[K]>[0];

function newJobId(): string {
  return randomBytes(8).toString('hex');
}

/** The long work of a project: queued, run in a worker, its results kept as they come. */
export function jobHandlers(context: StudioContext): JobHandlers {
  const { store, runner, queue } = context;
  return {
    async 'optimize.estimate'({ projectId }, { signal }) {
      const { modelPath, recipe, data } = await store.load(projectId);
      return runner.run('estimate', { path: modelPath, recipe, hasData: data !== undefined }, { signal });
    },
    'optimize.start': (params) => startOptimize(context, params),
    'profile.start': (params) => startProfile(context, params),
    'profile.list': ({ projectId }) => store.profiles(projectId),
    'job.list': async () => queue.list(),
    async 'job.cancel'({ jobId }) {
      context.openings.get(jobId)?.abort();
      queue.cancel(jobId);
      return {};
    },
  };
}

async function startOptimize(
  context: StudioContext,
  { projectId, trial }: Params<'optimize.start'>,
): Promise<{ jobId: string }> {
  const { store, queue } = context;
  const record = await store.load(projectId);
  let planned: TrialRun | undefined;
  if (trial) {
    const { artifact } = await store.artifact(projectId, trial.artifactId);
    const base = (await store.detail(projectId, trial.artifactId))?.recipe ?? record.recipe;
    planned = trialRun(artifact, base, record.recipe, trial.change, trial.label);
  }
  const jobId = newJobId();
  queue.add({
    jobId,
    projectId,
    kind: 'optimize',
    title: trial ? `Try ${trial.label}` : `Optimize ${record.name}`,
    async run(signal, onProgress) {
      await runOptimize(context, { projectId, jobId, planned, signal, onProgress });
      await announce(context, projectId);
      const results = await store.artifacts(projectId);
      const failed = results.filter((artifact) => artifact.status === 'failed').length;
      log(
        context,
        failed > 0 ? 'warning' : 'info',
        `${record.name}: ${results.length - failed} of ${results.length} results are good.`,
      );
    },
  });
  return { jobId };
}

interface OptimizeJob {
  readonly projectId: string;
  readonly jobId: string;
  /** Of a trial. */
  readonly planned: TrialRun | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (update: ProgressUpdate) => void;
}

/** Makes the files of a project's recipe as it is by now, or of a trial. */
async function runOptimize(context: StudioContext, job: OptimizeJob): Promise<void> {
  const { store, runner } = context;
  const { projectId, jobId, planned, signal, onProgress } = job;
  const { modelPath, data, ...latest } = await store.load(projectId);
  const recipe = planned?.recipe ?? latest.recipe;
  const outDir = store.workFolder(projectId, jobId);
  await mkdir(outDir, { recursive: true });
  const results = new InTurn();
  await runner.run(
    'optimize',
    {
      path: modelPath,
      recipe,
      data: data && { paths: data.paths, preprocess: recipe.preprocess },
      outDir,
      mark: planned?.mark,
    },
    {
      signal,
      events: {
        onProgress,
        onReference: (reference) =>
          results.add(async () => {
            await changeProject(context, projectId, (now) => store.save({ ...now, reference }));
            await announce(context, projectId);
          }),
        onArtifact: (artifact, detail) =>
          results.add(async () => {
            const adopted = await store.adopt(projectId, artifact, detail);
            context.emit('artifact', { projectId, artifact: adopted });
          }),
      },
    },
  );
  await results.done();
}

async function startProfile(
  context: StudioContext,
  { projectId, artifactIds, ...choices }: Params<'profile.start'>,
): Promise<{ jobId: string }> {
  const { store, runner, queue } = context;
  const { name, modelPath } = await store.load(projectId);
  const items = await Promise.all(
    artifactIds.map(async (artifactId) => {
      if (artifactId === 'source') return { path: modelPath };
      const { artifact } = await store.artifact(projectId, artifactId);
      if (artifact.path !== '') return { path: artifact.path, artifactId };
      throw new WhittleError('file.not-found', `${artifactId} has no file to run: it could not be made.`);
    }),
  );
  const jobId = newJobId();
  queue.add({
    jobId,
    projectId,
    kind: 'profile',
    title: `Profile ${name}`,
    async run(signal, onProgress) {
      const results = new InTurn();
      const onProfile = (profile: ProfileView): void =>
        results.add(async () => {
          await store.addProfile(projectId, profile);
          context.emit('profile', { projectId, profile });
        });
      await runner.run('profile', { items, ...choices }, { signal, events: { onProgress, onProfile } });
      await results.done();
    },
  });
  return { jobId };
}

/** Takes results in one after another, while the next is being made. */
class InTurn {
  private last: Promise<unknown> = Promise.resolve();

  add(work: () => Promise<void>): void {
    this.last = this.last.then(work);
    // `done` tells of a failure; until then nobody listens.
    this.last.catch(() => {});
  }

  /** Waits for all of them. @throws what the first that failed threw */
  async done(): Promise<void> {
    await this.last;
  }
}
