import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import type { ErrorView, ProgressView } from '../contract/views.ts';
import type { ProgressUpdate } from './progress.ts';

export interface Job {
  readonly jobId: string;
  readonly projectId: string;
  readonly kind: ProgressView['kind'];
  readonly title: string;
  run(signal: AbortSignal, report: (update: ProgressUpdate) => void): Promise<void>;
}

/** What is told of the queue's life, so that it can be written down. */
export interface JobObserver {
  /** Every change of every job, for the clients. */
  onProgress(view: ProgressView): void;
  onQueued?(job: Job): void;
  onEnded?(job: Job, view: ProgressView): void;
}

/** So many ended jobs are remembered for clients that ask later. */
const remembered = 50;

/** Runs one job at a time, in the order in which they came. */
export class JobQueue {
  private readonly observer: JobObserver;
  private readonly waiting: Job[] = [];
  private readonly views = new Map<string, ProgressView>();
  private running: { job: Job; controller: AbortController } | undefined;

  constructor(observer: JobObserver) {
    this.observer = observer;
  }

  /** @throws WhittleError `usage` when a job of that id is known already. */
  add(job: Job): void {
    if (this.views.has(job.jobId)) throw new WhittleError('usage', `There is a job ${job.jobId} already.`);
    this.observer.onQueued?.(job);
    this.waiting.push(job);
    this.tell(job, { stage: 'Waiting', fraction: 0, state: 'queued' });
    this.next();
  }

  /** Takes a waiting job out, or tells the running one to stop; anything else is over and stays as it is. */
  cancel(jobId: string): void {
    if (this.running?.job.jobId === jobId) {
      this.running.controller.abort();
      return;
    }
    const at = this.waiting.findIndex((job) => job.jobId === jobId);
    if (at < 0) return;
    const [job] = this.waiting.splice(at, 1);
    this.end(job, { stage: 'Cancelled', fraction: 0, state: 'cancelled' });
  }

  /** Cancels what belongs to a project that goes away. */
  cancelProject(projectId: string): void {
    for (const job of [...this.waiting, this.running?.job])
      if (job?.projectId === projectId) this.cancel(job.jobId);
  }

  list(): ProgressView[] {
    return [...this.views.values()];
  }

  /** Records a job of an earlier life of the core, which did not end well. */
  recall(view: ProgressView): void {
    this.views.set(view.jobId, view);
    this.observer.onProgress(view);
  }

  private next(): void {
    if (this.running) return;
    const job = this.waiting.shift();
    if (!job) return;
    const controller = new AbortController();
    this.running = { job, controller };
    let last: ProgressUpdate = { stage: 'Starting', fraction: 0 };
    this.tell(job, { ...last, state: 'running' });
    job
      .run(controller.signal, (update) => {
        if (this.running?.job !== job) return;
        last = update;
        this.tell(job, { ...update, state: 'running' });
      })
      .then(
        () => this.end(job, { stage: 'Done', fraction: 1, state: 'done' }),
        (thrown: unknown) => {
          const error = toErrorView(thrown);
          if (error.code === 'job.cancelled') {
            return this.end(job, { stage: 'Cancelled', fraction: last.fraction, state: 'cancelled' });
          }
          return this.end(job, { stage: last.stage, fraction: last.fraction, state: 'failed', error });
        },
      )
      .finally(() => {
        this.running = undefined;
        this.next();
      });
  }

  private end(job: Job, state: JobState): void {
    this.observer.onEnded?.(job, this.tell(job, state));
    for (const jobId of this.views.keys()) {
      if (this.views.size <= remembered) break;
      this.views.delete(jobId);
    }
  }

  private tell(job: Job, state: JobState): ProgressView {
    const { jobId, projectId, kind, title } = job;
    const view: ProgressView = { jobId, projectId, kind, title, ...state };
    // Kept in the order of their last change, so that the oldest are forgotten first.
    this.views.delete(jobId);
    this.views.set(jobId, view);
    this.observer.onProgress(view);
    return view;
  }
}

interface JobState extends ProgressUpdate {
  readonly state: ProgressView['state'];
  readonly error?: ErrorView;
}
