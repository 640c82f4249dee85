import type { ProfileView } from '../contract/views.ts';
import type { Engine, OpenOptions } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { randomFeeds } from './feeds.ts';
import { type LatencyOptions, measureLatency } from './latency.ts';

export interface ProfileOptions extends LatencyOptions {
  readonly device?: string;
  readonly threads: number;
  /** Operator times too; they come from a second session, since recording them costs time. */
  readonly perOp?: boolean;
  /** What to run on; repeatable random numbers when left out. */
  readonly feeds?: Readonly<Record<string, Tensor>>;
}

/** Runs for the operator times. */
const profiledRuns = 30;

/**
 * Opens a model and measures it: `whittle profile` and the Profile stage.
 * @throws WhittleError what opening, running or cancelling throw
 */
export async function profileModel(
  engine: Engine,
  model: string | Uint8Array,
  path: string,
  options: ProfileOptions,
): Promise<ProfileView> {
  const device = options.device ?? 'cpu';
  const open: OpenOptions = { device, threads: options.threads };
  const session = await engine.open(model, open);
  try {
    const feeds = options.feeds ?? randomFeeds(session.inputs);
    const { spread: _, ...latency } = await measureLatency(session, feeds, options);
    const perOp = options.perOp ? await operatorShares(engine, model, open, feeds) : undefined;
    return {
      path,
      engine: engine.id,
      device,
      // The WebAssembly build runs on one thread whatever was asked for.
      threads: engine.id === 'litert-wasm' ? 1 : options.threads,
      ...latency,
      timesMs: [...latency.timesMs],
      ...(perOp && { perOp }),
    };
  } finally {
    await session.close();
  }
}

/** `undefined` where the engine records no operator times. */
async function operatorShares(
  engine: Engine,
  model: string | Uint8Array,
  open: OpenOptions,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<ProfileView['perOp']> {
  const session = await engine.open(model, { ...open, profile: true });
  try {
    if (!session.operatorTimes) return undefined;
    await session.time(feeds, profiledRuns);
    const times = await session.operatorTimes();
    const total = times.reduce((sum, { ms }) => sum + ms, 0);
    return times
      .map((time) => ({ ...time, share: total > 0 ? time.ms / total : 0 }))
      .sort((first, second) => second.ms - first.ms);
  } finally {
    await session.close();
  }
}
