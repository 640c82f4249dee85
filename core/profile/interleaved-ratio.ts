import { WhittleError } from '../contract/errors.ts';
import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { median, quantile } from '../kernels/metrics.ts';

type Feeds = Readonly<Record<string, Tensor>>;

export interface RatioOptions {
  /** Pairs of blocks. */
  readonly rounds?: number;
  /** Time of all blocks together. */
  readonly budgetMs?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Ratio {
  /** Time of A ÷ time of B: below 1 A is the faster. */
  readonly ratio: number;
  /** 95 % interval of the ratio. */
  readonly low: number;
  readonly high: number;
  readonly medianMsA: number;
  readonly medianMsB: number;
  readonly rounds: number;
}

/**
 * Compares two sessions while the machine drifts: blocks of A and B alternate, and the one that comes first alternates
 * too, so that heat and other load hit both alike. The interval is a bootstrap over rounds, which counts slow phases as
 * one event each instead of as many independent runs.
 * @throws WhittleError `job.cancelled`, and what the sessions throw
 */
export async function interleavedRatio(
  a: { readonly session: Session; readonly feeds: Feeds },
  b: { readonly session: Session; readonly feeds: Feeds },
  options: RatioOptions = {},
): Promise<Ratio> {
  const { rounds = 20, budgetMs = 2000, seed = 0, signal } = options;
  const blockMs = budgetMs / (rounds * 2);
  const sides = [a, b];
  const perBlock: number[] = [];
  for (const side of sides) {
    const warm = await side.session.time(side.feeds, 5);
    perBlock.push(
      Math.max(1, Math.min(2000, Math.round(blockMs / Math.max(0.001, median(warm.subarray(1)))))),
    );
  }
  const medians: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of order) {
      if (signal?.aborted) throw new WhittleError('job.cancelled', 'the measurement was cancelled');
      const { session, feeds } = sides[side];
      medians[side].push(median(await session.time(feeds, perBlock[side])));
    }
  }
  return bootstrapRatio(medians[0], medians[1], seed);
}

const resamples = 2000;

/**
 * The ratio of two medians with its 95 % percentile interval by bootstrap over pairs (Efron and Tibshirani, 1993,
 * chapter 13). `a[i]` and `b[i]` were measured side by side.
 */
export function bootstrapRatio(a: readonly number[], b: readonly number[], seed = 0): Ratio {
  if (a.length !== b.length || a.length === 0)
    throw new RangeError(`${a.length} and ${b.length} times are not pairs`);
  const random = randomNumbers(seed);
  const pickedA = new Float64Array(a.length);
  const pickedB = new Float64Array(a.length);
  const ratios = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < a.length; i++) {
      const pick = Math.floor(random() * a.length);
      pickedA[i] = a[pick];
      pickedB[i] = b[pick];
    }
    ratios[r] = median(pickedA) / median(pickedB);
  }
  ratios.sort();
  const medianMsA = median(a);
  const medianMsB = median(b);
  return {
    ratio: medianMsA / medianMsB,
    low: quantile(ratios, 0.025),
    high: quantile(ratios, 0.975),
    medianMsA,
    medianMsB,
    rounds: a.length,
  };
}

/** Repeatable numbers in 0…1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
