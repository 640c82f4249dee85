import { Worker } from 'node:worker_threads';
import { fromErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import type { FromWorker, ToWorker } from '../studio/task-messages.ts';
import type { TaskEvents, TaskName, TaskParams, TaskResult, TaskRunner } from '../studio/tasks.ts';

/** A task that was asked to stop has this long before its worker is ended. */
export const obedienceMs = 500;
/** An idle worker for short tasks is kept this long for the next one. */
const idleMs = 20_000;

/** Tasks that run models have a worker of their own, which ends with them and gives all native memory back. */
const ownWorker: ReadonlySet<TaskName> = new Set<TaskName>(['optimize', 'profile']);

/** Runs tasks in worker threads made from one entry file. */
export class WorkerTaskRunner implements TaskRunner {
  private readonly entry: URL;
  private idle: { worker: Worker; timer: NodeJS.Timeout } | undefined;
  private readonly all = new Set<Worker>();

  constructor(entry: URL) {
    this.entry = entry;
  }

  async run<K extends TaskName>(
    name: K,
    params: TaskParams<K>,
    options: { signal: AbortSignal; events?: TaskEvents },
  ): Promise<TaskResult<K>> {
    if (options.signal.aborted) throw cancelled();
    const own = ownWorker.has(name);
    const worker = own ? this.start() : this.take();
    const { result, reusable } = await runIn(worker, { t: 'run', name, params }, options);
    if (own || !reusable || this.idle) void worker.terminate();
    else this.keep(worker);
    if (result instanceof Error) throw result;
    return result as TaskResult<K>;
  }

  async close(): Promise<void> {
    if (this.idle) clearTimeout(this.idle.timer);
    this.idle = undefined;
    await Promise.all([...this.all].map((worker) => worker.terminate()));
  }

  private start(): Worker {
    const worker = new Worker(this.entry);
    this.all.add(worker);
    worker.on('exit', () => {
      this.all.delete(worker);
      if (this.idle?.worker === worker) this.idle = undefined;
    });
    // Between tasks nobody else listens, and an unheard error would end the core.
    worker.on('error', () => {});
    return worker;
  }

  private take(): Worker {
    if (!this.idle) return this.start();
    const { worker, timer } = this.idle;
    clearTimeout(timer);
    this.idle = undefined;
    worker.ref();
    return worker;
  }

  private keep(worker: Worker): void {
    worker.unref();
    const timer = setTimeout(() => void worker.terminate(), idleMs);
    timer.unref();
    this.idle = { worker, timer };
  }
}

function runIn(
  worker: Worker,
  message: ToWorker,
  { signal, events }: { signal: AbortSignal; events?: TaskEvents },
): Promise<{ result: unknown; reusable: boolean }> {
  return new Promise((resolve) => {
    let deadline: NodeJS.Timeout | undefined;
    const finish = (result: unknown, reusable: boolean): void => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', abort);
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      resolve({ result, reusable });
    };
    const onMessage = (raw: FromWorker): void => {
      if (raw.t === 'done') finish(raw.result, true);
      else if (raw.t === 'failed') finish(fromErrorView(raw.error), true);
      else if (signal.aborted) return;
      else if (raw.t === 'progress') events?.onProgress?.(raw.update);
      else if (raw.t === 'artifact') events?.onArtifact?.(raw.artifact, raw.detail);
      else if (raw.t === 'reference') events?.onReference?.(raw.reference);
      else events?.onProfile?.(raw.profile);
    };
    const onError = (error: Error): void =>
      finish(signal.aborted ? cancelled() : crashed(error.message), false);
    const onExit = (code: number): void => {
      finish(signal.aborted ? cancelled() : crashed(`it ended with code ${code}`), false);
    };
    const abort = (): void => {
      worker.postMessage({ t: 'abort' } satisfies ToWorker);
      deadline = setTimeout(() => {
        void worker.terminate();
        finish(cancelled(), false);
      }, obedienceMs);
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    signal.addEventListener('abort', abort, { once: true });
    worker.postMessage(message);
  });
}

function cancelled(): WhittleError {
  return new WhittleError('job.cancelled', 'Cancelled.');
}

function crashed(why: string): WhittleError {
  return new WhittleError('job.crashed', `The worker of this job was lost: ${why}.`, {
    hint: 'Memory may have run out. Try fewer samples or precisions.',
  });
}
