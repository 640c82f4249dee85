import { WhittleError } from '../contract/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { openGraph } from './open-graph.ts';

/** What all passes over the samples have in common. */
export interface Run {
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly signal?: AbortSignal;
  /** After every sample. */
  onSample(): void;
}

export type Results = Readonly<Record<string, Tensor>>;

/**
 * Runs samples through a graph, one at a time, and hands the results over.
 * @throws WhittleError `job.cancelled` when the signal fires, and what the engine and `take` throw
 */
export async function runSamples(
  graph: Graph,
  indices: readonly number[],
  { dataset, engine, signal, onSample }: Run,
  take: (results: Results, index: number) => void,
): Promise<void> {
  const session = await openGraph(engine, graph, {}, { yields: true });
  try {
    for (const index of indices) {
      if (signal?.aborted) throw new WhittleError('job.cancelled', 'calibration was cancelled');
      take(await session.run(await dataset.sample(index)), index);
      onSample();
    }
  } finally {
    await session.close();
  }
}
