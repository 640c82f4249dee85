import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { median } from '../kernels/metrics.ts';
import { breathe } from './latency.ts';

/** An open session with what to run it on. */
export interface Runnable {
  readonly session: Session;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Opens one side anew; the caller of it closes the session. */
export type OpenSide = () => Promise<Runnable>;

export interface RatioOptions {
  /** Running time of all openings together; slow models take longer, with fewer openings. */
  readonly budgetMs?: number;
  /** No more runs of each than this, as far as the fewest allow. */
  readonly runs?: number;
  readonly signal?: AbortSignal;
  /** Called after each opening with 0…1. */
  readonly onProgress?: (fraction: number) => void;
}

export interface Ratio {
  /** Time of A ÷ time of B: below 1 A is the faster. */
  readonly ratio: number;
  /** 99 % interval of the ratio. */
  readonly low: number;
  readonly high: number;
  /** Medians over all openings. */
  readonly medianMsA: number;
  readonly medianMsB: number;
  /** Times that both were opened and run in turn. */
  readonly rounds: number;
}

const openings = 8;
const fewestOpenings = 4;
const fewestPairs = 3;
const mostPairs = 5000;
/** After so many times the budget, the fewest openings are enough. */
const patience = 3;
/** Two-sided 99 % points of Student's t for 3 degrees of freedom and more. */
const student: readonly number[] = [5.841, 4.604, 4.032, 3.707, 3.499];

/**
 * Compares two models while the machine drifts: single runs of A and B alternate, and so does the one that comes first,
 * so that heat and other load hit both alike. Both are opened anew several times: one session differs from another of
 * the same file by a percent or two, by where its memory happens to lie, and the interval must hold that too.
 * @throws WhittleError `job.cancelled`, and what opening and running throw
 */
export async function interleavedRatio(
  openA: OpenSide,
  openB: OpenSide,
  options: RatioOptions = {},
): Promise<Ratio> {
  const { budgetMs = 3000, runs = Number.POSITIVE_INFINITY, signal } = options;
  const most = Math.min(mostPairs, Math.ceil(runs / openings));
  const start = performance.now();
  const medians: { a: number; b: number }[] = [];
  while (medians.length < openings) {
    const isLate = performance.now() - start > patience * budgetMs;
    if (isLate && medians.length >= fewestOpenings) break;
    const swapped = medians.length % 2 === 1;
    medians.push(await runInTurn(openA, openB, swapped, { budgetMs: budgetMs / openings, most, signal }));
    options.onProgress?.(medians.length / openings);
  }
  return {
    ...ratioInterval(medians.map(({ a, b }) => a / b)),
    medianMsA: median(medians.map(({ a }) => a)),
    medianMsB: median(medians.map(({ b }) => b)),
    rounds: medians.length,
  };
}

async function runInTurn(
  openA: OpenSide,
  openB: OpenSide,
  swapped: boolean,
  { budgetMs, most, signal }: { budgetMs: number; most: number; signal: AbortSignal | undefined },
): Promise<{ a: number; b: number }> {
  const sides: Runnable[] = [];
  try {
    for (const open of swapped ? [openB, openA] : [openA, openB]) sides.push(await open());
    let pairMs = 0.001;
    for (const { session, feeds } of sides) pairMs += median((await session.time(feeds, 4)).subarray(1));
    const pairs = Math.max(fewestPairs, Math.min(most, Math.round(budgetMs / pairMs)));
    const times = [new Float64Array(pairs), new Float64Array(pairs)];
    let breath = performance.now();
    for (let pair = 0; pair < pairs; pair++) {
      if (performance.now() - breath > 20) {
        await breathe(signal);
        breath = performance.now();
      }
      const first = pair % 2;
      for (const side of [first, 1 - first]) {
        const { session, feeds } = sides[side];
        times[side][pair] = (await session.time(feeds, 1))[0];
      }
    }
    const [first, second] = times.map((list) => median(list));
    return swapped ? { a: second, b: first } : { a: first, b: second };
  } finally {
    for (const { session } of sides) await session.close();
  }
}

/**
 * The geometric mean of independent ratios, with its 99 % interval by Student's t on their logarithms.
 * @param ratios at least four
 */
export function ratioInterval(ratios: readonly number[]): Pick<Ratio, 'ratio' | 'low' | 'high'> {
  const count = ratios.length;
  if (count < fewestOpenings) throw new RangeError(`${count} ratios are too few`);
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, value) => sum + value, 0) / count;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const t = student[Math.min(count - fewestOpenings, student.length - 1)];
  const half = t * Math.sqrt(variance / count);
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}
