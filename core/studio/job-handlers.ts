import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import { changeProject, log, type StudioContext } from './studio-context.ts';
import { type TrialRun, trialRun } from './trial.ts';

type JobHandlers = Pick<
  Handlers,
  'optimize.estimate' | 'optimize.start' | 'profile.start' | 'profile.list' | 'job.list' | 'job.cancel'
>;

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
    async 'optimize.start'({ projectId, trial }) {
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
        async run(signal, report) {
          const { modelPath, data, ...latest } = await store.load(projectId);
          const recipe = planned?.recipe ?? latest.recipe;
          const outDir = store.workFolder(projectId, jobId);
          await mkdir(outDir, { recursive: true });
          // Results are taken in one after another, while the next precision is being made.
          let kept: Promise<unknown> = Promise.resolve();
          const keep = (work: () => Promise<void>): void => {
            kept = kept.then(work);
            kept.catch(() => {});
          };
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
                onProgress: report,
                onReference: (reference) =>
                  keep(async () => {
                    await changeProject(context, projectId, (latest) => store.save({ ...latest, reference }));
                    context.emit('project', await store.view(projectId));
                  }),
                onArtifact: (artifact, detail) =>
                  keep(async () => {
                    const adopted = await store.adopt(projectId, artifact, detail);
                    context.emit('artifact', { projectId, artifact: adopted });
                  }),
              },
            },
          );
          await kept;
          context.emit('project', await store.view(projectId));
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
    },
    async 'profile.start'({ projectId, artifactIds, ...choices }) {
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
        async run(signal, report) {
          let kept: Promise<unknown> = Promise.resolve();
          await runner.run(
            'profile',
            { items, ...choices },
            {
              signal,
              events: {
                onProgress: report,
                onProfile: (profile) => {
                  kept = kept.then(async () => {
                    await store.addProfile(projectId, profile);
                    context.emit('profile', { projectId, profile });
                  });
                  kept.catch(() => {});
                },
              },
            },
          );
          await kept;
        },
      });
      return { jobId };
    },
    'profile.list': ({ projectId }) => store.profiles(projectId),
    'job.list': async () => queue.list(),
    async 'job.cancel'({ jobId }) {
      context.openings.get(jobId)?.abort();
      queue.cancel(jobId);
      return {};
    },
  };
}
