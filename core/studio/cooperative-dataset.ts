import { WhittleError } from '../contract/errors.ts';
import type { Dataset } from '../data/dataset.ts';

/** A pause at least this often: native calls do not let messages and signals in. */
const pauseEveryMs = 40;

/**
 * The same samples, with a breath between them: the thread's messages (a cancel, Ctrl-C) are heard, and once the signal
 * has fired no further sample is given. @throws WhittleError `job.cancelled` from `sample`.
 */
export function makeCooperative<D extends Dataset>(dataset: D, signal: AbortSignal | undefined): D {
  let pausedAt = performance.now();
  return {
    ...dataset,
    async sample(index) {
      if (performance.now() - pausedAt > pauseEveryMs) {
        await pause();
        pausedAt = performance.now();
      }
      throwIfAborted(signal);
      return dataset.sample(index);
    },
  };
}

/** Lets messages and signals in. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new WhittleError('job.cancelled', 'Cancelled.');
}
