import { setImmediate } from 'node:timers/promises';
import { WhittleError } from '../contract/errors.ts';
import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { median, quantile } from '../kernels/metrics.ts';
import { spread } from '../kernels/spread.ts';

export interface LatencyOptions {
  /** Exactly this many runs; else as many as the budget below allows. */
  readonly runs?: number;
  /** Enough to rank precisions while they are made: at least 30 runs or 300 ms. */
  readonly quick?: boolean;
  readonly signal?: AbortSignal;
  /** Called between chunks with 0…1. */
  readonly onProgress?: (fraction: number) => void;
}

/** How long runs take. Times are milliseconds of one inference, without copying inputs in or results out. */
export interface Latency {
  readonly runs: number;
  readonly warmup: number;
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly minMs: number;
  /** (p90 − p10) ÷ median: how much to trust the median. */
  readonly spread: number;
  readonly loadMs: number;
  /** Highest resident memory of this process so far. */
  readonly peakRssBytes: number;
  /** Every run's time, at most 1,000 of them, evenly taken. */
  readonly timesMs: readonly number[];
}

interface Budget {
  /** Stop when both are reached … */
  readonly minRuns: number;
  readonly minMs: number;
  /** … or when this much time has passed. */
  readonly maxMs: number;
  readonly maxWarmupMs: number;
  /** Runs are asked for in chunks of about this long: cancelling is noticed, and warmth judged, between them. */
  readonly chunkMs: number;
}

const fullBudget: Budget = { minRuns: 50, minMs: 1000, maxMs: 10_000, maxWarmupMs: 2000, chunkMs: 20 };
const quickBudget: Budget = { minRuns: 30, minMs: 40, maxMs: 300, maxWarmupMs: 80, chunkMs: 5 };
const keptTimes = 1000;
/** Warm is what had the same median, within 5 %, in this many chunks in a row. */
const stableChunks = 4;
const stableWithin = 1.05;

/**
 * Measures one session: warms up until chunks of runs keep the same median, then times runs.
 * @throws WhittleError `job.cancelled`, and what the session throws
 */
export async function measureLatency(
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  options: LatencyOptions = {},
): Promise<Latency> {
  const budget = options.quick ? quickBudget : fullBudget;
  const { warmup, perChunk } = await warmUp(session, feeds, budget, options.signal);
  const times: number[] = [];
  const start = performance.now();
  for (;;) {
    await breathe(options.signal);
    const left = options.runs === undefined ? perChunk : options.runs - times.length;
    for (const ms of await session.time(feeds, Math.min(perChunk, left))) times.push(ms);
    const passed = performance.now() - start;
    const share =
      options.runs === undefined
        ? Math.max(Math.min(times.length / budget.minRuns, passed / budget.minMs), passed / budget.maxMs)
        : times.length / options.runs;
    options.onProgress?.(Math.min(1, share));
    if (share >= 1) break;
  }
  return summarize(times, warmup, session.loadMs);
}

/** The figures of a list of times in milliseconds. */
export function summarize(times: readonly number[], warmup: number, loadMs: number): Latency {
  const sorted = Float64Array.from(times).sort();
  const medianMs = quantile(sorted, 0.5);
  const p10Ms = quantile(sorted, 0.1);
  const p90Ms = quantile(sorted, 0.9);
  return {
    runs: times.length,
    warmup,
    medianMs,
    p10Ms,
    p90Ms,
    minMs: sorted[0],
    spread: (p90Ms - p10Ms) / medianMs,
    loadMs,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    timesMs: spread(times, keptTimes),
  };
}

async function warmUp(
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  { maxWarmupMs, chunkMs }: Budget,
  signal: AbortSignal | undefined,
): Promise<{ warmup: number; perChunk: number }> {
  const start = performance.now();
  // The first run pays for lazy allocation and says nothing about the second.
  const first = await session.time(feeds, 2);
  let warmup = 2;
  let perChunk = runsPerChunk(first[1], chunkMs);
  const recent: number[] = [];
  while (!isStable(recent) && performance.now() - start < maxWarmupMs) {
    await breathe(signal);
    const times = await session.time(feeds, perChunk);
    warmup += times.length;
    recent.push(median(times));
    if (recent.length > stableChunks) recent.shift();
    perChunk = runsPerChunk(recent.at(-1)!, chunkMs);
  }
  return { warmup, perChunk };
}

function isStable(medians: readonly number[]): boolean {
  return medians.length === stableChunks && Math.max(...medians) <= Math.min(...medians) * stableWithin;
}

function runsPerChunk(ms: number, chunkMs: number): number {
  return Math.max(1, Math.min(1000, Math.round(chunkMs / Math.max(ms, 0.001))));
}

/** Lets messages and signals in, which native calls do not. @throws WhittleError `job.cancelled` */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw new WhittleError('job.cancelled', 'the measurement was cancelled');
}
