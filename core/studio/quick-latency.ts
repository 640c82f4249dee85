import { availableParallelism } from 'node:os';
import type { LatencyView } from '../contract/views.ts';
import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { measureLatency } from '../profile/latency.ts';

/** Threads that the latency beside a result is measured with. */
export const latencyThreads = Math.min(4, availableParallelism());

/** The latency that stands beside a result; `whittle profile` measures at leisure. */
export async function measureQuickly(
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  signal: AbortSignal | undefined,
): Promise<LatencyView> {
  const { runs, medianMs, p90Ms } = await measureLatency(session, feeds, { quick: true, signal });
  const threads = session.engine === 'litert-wasm' ? 1 : latencyThreads;
  return { engine: session.description, device: 'cpu', threads, runs, medianMs, p90Ms };
}
