import { WhittleError } from '../contract/errors.ts';
import type { ArtifactDetail } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { ErrorSums } from '../kernels/metrics.ts';
import { adaptFeeds, adaptResults, type PortAdapters, type SourceOutput } from './port-adapters.ts';
import { chooseSamples, type RunOptions, throwIfCancelled } from './reference.ts';

/** One operator, and the output of either session that shows its result. */
export interface OperatorPair {
  readonly name: string;
  readonly op: string;
  /** Port of the source's session. */
  readonly source: string;
  /** Port of the artifact's session. */
  readonly artifact: string;
  /** Axis order of the artifact's tensor against the source's. */
  readonly permutation?: readonly number[];
}

export interface OperatorErrorOptions extends RunOptions {
  /** For the source's inputs, where its session has another layout than the samples. */
  readonly sourceAdapters?: PortAdapters;
}

export type OperatorError = ArtifactDetail['operators'][number];

/**
 * Error of each operator's result in an artifact against the float source, over samples: where in the network the
 * quality goes. Both sessions are of models that give intermediate tensors as extra outputs; integers are dequantized
 * with their ports' parameters. `portAdapters` are for the artifact's inputs. One sample at a time.
 * @throws WhittleError `data.mismatch` when a pair's shapes differ, `job.cancelled`, and what the sessions throw
 */
export async function operatorErrors(
  source: Session,
  artifact: Session,
  pairs: readonly OperatorPair[],
  dataset: Dataset,
  options: OperatorErrorOptions = {},
): Promise<OperatorError[]> {
  const sums = pairs.map(() => new ErrorSums());
  const shownBySource = new Set(pairs.map((pair) => pair.source));
  const indexes = chooseSamples(dataset.count, options.samples ?? 8);
  for (const [n, index] of indexes.entries()) {
    throwIfCancelled(options.signal);
    const sample = await dataset.sample(index);
    const wanted = adaptResults(
      source.outputs.filter((port) => shownBySource.has(port.name)),
      await source.run(adaptFeeds(source.inputs, sample, options.sourceAdapters)),
    );
    const results = await artifact.run(adaptFeeds(artifact.inputs, sample, options.portAdapters));
    pairs.forEach((pair, i) => {
      const got = resultOf(artifact, results, pair, wanted);
      sums[i].add(wanted[pair.source].values, got);
    });
    options.onProgress?.(n + 1, indexes.length);
  }
  return pairs.map(({ name, op }, i) => ({ name, op, sqnrDb: sums[i].sqnrDb() }));
}

function resultOf(
  artifact: Session,
  results: Readonly<Record<string, Tensor>>,
  pair: OperatorPair,
  wanted: Readonly<Record<string, SourceOutput>>,
): Float32Array {
  const port = artifact.outputs.find((output) => output.name === pair.artifact);
  if (!port || !wanted[pair.source]) {
    const side = port ? `source gives no ${pair.source}` : `artifact gives no ${pair.artifact}`;
    throw new WhittleError('data.mismatch', `the ${side}, which operator ${pair.name} is compared by`);
  }
  const adapter = { [port.name]: { source: pair.source, permutation: pair.permutation } };
  return adaptResults([port], results, adapter, { [pair.source]: wanted[pair.source].shape })[pair.source]
    .values;
}
