import type { Dataset } from '../data/dataset.ts';
import type { Session } from '../ir/engine.ts';
import { ErrorSums } from '../kernels/metrics.ts';
import type { PortAdapters } from './port-adapters.ts';
import { runReference, runSample, throwIfCancelled } from './reference.ts';

/** One of two files of the same plan. */
export interface TwinFile {
  readonly session: Session;
  readonly portAdapters?: PortAdapters;
}

export interface Agreement {
  readonly samples: number;
  /** Part of all output elements that differ by at most one step, 0…1. */
  readonly withinOneStep: number;
  /** Of the difference, with the first file as the signal; null when there is none. */
  readonly sqnrDb: number | null;
}

/** Levels of 8 bits: an output without a step of its own is divided into as many. */
const levels = 255;
/** Reals that are one step apart differ by a few roundings of float32 more or less than a step. */
const slack = 1.001;

/**
 * Compares two files of one plan on the same samples, output element by output element.
 * @param steps quantization step of outputs that have one, by the source's names; for others it is 1/255 of the range
 * that the first file gives
 * @throws WhittleError `job.cancelled`, and what the sessions throw
 */
export async function compareTwins(
  first: TwinFile,
  second: TwinFile,
  dataset: Dataset,
  steps: Readonly<Record<string, number>>,
  options: { readonly samples: number; readonly signal?: AbortSignal },
): Promise<Agreement> {
  const { portAdapters } = first;
  const answers = await runReference(first.session, dataset, { ...options, portAdapters });
  const sums = new ErrorSums();
  let within = 0;
  let total = 0;
  for (const [n, index] of answers.indexes.entries()) {
    throwIfCancelled(options.signal);
    const wanted = await answers.outputs(n);
    const got = await runSample(second.session, dataset, index, second.portAdapters, answers.shapes);
    for (const { name, min, max } of answers.profiles) {
      const step = steps[name] ?? (Math.max(max, 0) - Math.min(min, 0)) / levels;
      const [a, b] = [wanted[name].values, got[name].values];
      sums.add(a, b);
      for (let i = 0; i < a.length; i++) if (Math.abs(a[i] - b[i]) <= step * slack) within++;
      total += a.length;
    }
  }
  return {
    samples: answers.indexes.length,
    withinOneStep: total === 0 ? 1 : within / total,
    sqnrDb: sums.sqnrDb(),
  };
}
