import { cpus, totalmem } from 'node:os';
import type { EventData, EventName, Handlers } from '../contract/api.ts';
import type { ErrorView } from '../contract/views.ts';
import { artifactHandlers } from './artifact-handlers.ts';
import { jobHandlers } from './job-handlers.ts';
import { JobQueue } from './job-queue.ts';
import { projectHandlers } from './project-handlers.ts';
import { ProjectStore } from './project-store.ts';
import type { StudioContext } from './studio-context.ts';
import type { TaskRunner } from './tasks.ts';
import { whittleVersion } from './version.ts';

export interface StudioOptions {
  /** The folder that holds the projects. */
  home: string;
  shell: 'desktop' | 'web';
  runner: TaskRunner;
  uploads?: string;
  downloads?: string;
  emit<K extends EventName>(name: K, data: EventData<K>): void;
}

export interface Studio {
  readonly handlers: Handlers;
  close(): Promise<void>;
}

/**
 * The service behind the contract. Jobs that an earlier core left unfinished are told as failed, with the reason, and
 * what they left half-made is removed.
 */
export async function createStudio(options: StudioOptions): Promise<Studio> {
  const { runner, shell, uploads, downloads, emit } = options;
  const store = new ProjectStore(options.home);
  let journal: Promise<unknown> = Promise.resolve();
  // The journal is a note to a later core: that this one cannot write it ends nothing.
  const note = (write: () => Promise<void>): void => {
    journal = journal.then(write).catch(() => {});
  };
  const queue = new JobQueue({
    onProgress: (view) => emit('progress', view),
    onQueued: ({ jobId, projectId, kind, title }) => {
      note(() =>
        store.beginJob({ jobId, projectId, kind, title, stage: 'Queued', fraction: 0, state: 'queued' }),
      );
    },
    onEnded: (job, view) => {
      note(() => store.endJob(job));
      if (view.error) {
        emit('log', {
          time: new Date().toISOString(),
          level: 'error',
          message: `${job.title}: ${view.error.message}`,
        });
      }
    },
  });
  const context: StudioContext = {
    store,
    runner,
    queue,
    shell,
    uploads,
    downloads,
    openings: new Map(),
    emit,
  };
  for (const view of await store.recover()) queue.recall({ ...view, state: 'failed', error: crashed });

  return {
    handlers: {
      'app.info': async () => ({ version: whittleVersion(), shell }),
      async 'app.doctor'(_params, { signal }) {
        return {
          version: whittleVersion(),
          platform: `${process.platform} ${process.arch}`,
          node: process.version,
          cores: cpus().length,
          memoryBytes: totalmem(),
          engines: await runner.run('doctor', {}, { signal }),
        };
      },
      ...projectHandlers(context),
      ...jobHandlers(context),
      ...artifactHandlers(context),
    },
    async close() {
      for (const controller of context.openings.values()) controller.abort();
      for (const { jobId } of queue.list()) queue.cancel(jobId);
      await runner.close();
      await journal;
    },
  };
}

const crashed: ErrorView = {
  code: 'job.crashed',
  message: 'The core ended while this job was under way.',
  hint: 'The runtime may have crashed on this model, or memory ran out. Run it again; if it ends again, pick fewer precisions.',
  issues: [],
};
