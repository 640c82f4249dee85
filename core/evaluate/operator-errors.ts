import { WhittleError } from '../contract/errors.ts';
import type { ArtifactDetail } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import type { PortInfo, Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { ErrorSums } from '../kernels/metrics.ts';
import { spreadIndexes } from '../kernels/spread.ts';
import { ActivationRecord } from './activation-record.ts';
import { adaptFeeds, adaptResults, type PortAdapters, type SourceOutput } from './port-adapters.ts';
import { type RunOptions, throwIfCancelled } from './reference.ts';

/** One operator, and the output of either session that shows its result. */
export interface OperatorPair {
  readonly name: string;
  readonly op: string;
  /** Port of the source's session. */
  readonly source: string;
  /** Port of the artifact's session. */
  readonly artifact: string;
  /**
   * Axis orders that the artifact's tensor may have against the source's, as its shape allows: the one that it agrees
   * best in is taken, since a wrong one is all error. The source's own when left out.
   */
  readonly orders?: readonly (readonly number[] | undefined)[];
  /** What the result is rounded to after it, where the artifact's tensor is still in reals (QDQ). */
  readonly rounded?: Pick<PortInfo, 'dtype' | 'quant'>;
  /** Of the source's tensor, where it has channels. */
  readonly channelAxis?: number;
}

export interface OperatorErrorOptions extends RunOptions {
  /** For the source's inputs, where its session has another layout than the samples. */
  readonly sourceAdapters?: PortAdapters;
}

export type OperatorError = ArtifactDetail['operators'][number];

/**
 * Error of each operator's result in an artifact against the float source, over samples, with the distribution of
 * both: where in the network the quality goes, and why. Both sessions are of models that give intermediate tensors as extra outputs; integers are dequantized
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
  const records = pairs.map((pair) => new ActivationRecord(pair.rounded ?? portOf(artifact, pair)));
  const orders: (readonly number[] | undefined)[] = [];
  const shownBySource = new Set(pairs.map((pair) => pair.source));
  const indexes = spreadIndexes(dataset.count, options.samples ?? 8);
  for (const [n, index] of indexes.entries()) {
    throwIfCancelled(options.signal);
    const sample = await dataset.sample(index);
    const wanted = adaptResults(
      source.outputs.filter((port) => shownBySource.has(port.name)),
      await source.run(adaptFeeds(source.inputs, sample, options.sourceAdapters)),
    );
    const results = await artifact.run(adaptFeeds(artifact.inputs, sample, options.portAdapters));
    pairs.forEach((pair, i) => {
      const { values, shape } = sourceOf(pair, wanted);
      if (n === 0) orders[i] = bestOrder(artifact, results, pair, wanted[pair.source]);
      const got = resultOf(artifact, results, pair, wanted[pair.source], orders[i]);
      sums[i].add(values, got);
      records[i].add(values, got, shape, pair.channelAxis);
    });
    options.onProgress?.(n + 1, indexes.length);
  }
  return pairs.map(({ name, op }, i) => ({
    name,
    op,
    sqnrDb: sums[i].sqnrDb(),
    activation: records[i].view(),
  }));
}

function portOf(artifact: Session, pair: OperatorPair): PortInfo {
  const port = artifact.outputs.find((output) => output.name === pair.artifact);
  if (port) return port;
  throw new WhittleError(
    'data.mismatch',
    `the artifact gives no ${pair.artifact}, which operator ${pair.name} is compared by`,
  );
}

function sourceOf(pair: OperatorPair, wanted: Readonly<Record<string, SourceOutput>>): SourceOutput {
  const found = wanted[pair.source];
  if (found) return found;
  throw new WhittleError(
    'data.mismatch',
    `the source gives no ${pair.source}, which operator ${pair.name} is compared by`,
  );
}

/** The axis order in which an operator's result is nearest to the source's. */
function bestOrder(
  artifact: Session,
  results: Readonly<Record<string, Tensor>>,
  pair: OperatorPair,
  wanted: SourceOutput,
): readonly number[] | undefined {
  const { orders = [undefined] } = pair;
  if (orders.length === 1) return orders[0];
  const noises = orders.map((order) => {
    const sums = new ErrorSums();
    sums.add(wanted.values, resultOf(artifact, results, pair, wanted, order));
    return sums.noise;
  });
  return orders[noises.indexOf(Math.min(...noises))];
}

function resultOf(
  artifact: Session,
  results: Readonly<Record<string, Tensor>>,
  pair: OperatorPair,
  wanted: SourceOutput,
  permutation: readonly number[] | undefined,
): Float32Array {
  const port = portOf(artifact, pair);
  const adapter = { [port.name]: { source: pair.source, permutation } };
  return adaptResults([port], results, adapter, { [pair.source]: wanted.shape })[pair.source].values;
}
