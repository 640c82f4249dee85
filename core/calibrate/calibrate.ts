import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph, ValueId } from '../ir/graph.ts';
import { type Tensor, toFloat32 } from '../ir/tensor.ts';
import { allFinite } from '../kernels/scan.ts';
import { ChannelRecord } from './channel-record.ts';
import { type ChannelStatistics, equalize } from './equalize.ts';
import type { Observer, Range, Ranges } from './observer.ts';
import { observerKind } from './observers.ts';
import { chooseSamples } from './samples.ts';
import { scaleChannels } from './scale-channels.ts';
import { readSlice, type Tap, type TapRequest, withStatistics } from './statistics-graph.ts';
import { channelAxes, watchedValues } from './watch.ts';

export interface CalibrateOptions {
  /** At most this many samples; all there are when the dataset has fewer. */
  readonly samples: number;
  readonly observer: Calibration;
  /** Other observers for some values, by name. */
  readonly observers?: ReadonlyMap<ValueId, Calibration>;
  readonly seed: number;
  /** Lets channels share one 8-bit scale better by moving factors between weights. Default true. */
  readonly equalize?: boolean;
  /** Obeyed between samples. */
  readonly signal?: AbortSignal;
  /** After every sample. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs samples through the float graph and watches the range of every value that a quantized slot needs. Samples are
 * read, run and forgotten one at a time, so memory does not grow with their number. Observers that need every element
 * take a second pass, after channels were equalized.
 * @param graph of `prepareForOnnx`, all dimensions known
 * @param engine one that runs ONNX
 * @throws WhittleError `data.missing` without samples, `runtime.failed` naming a value that is not finite,
 * `job.cancelled` when the signal fires
 */
export async function calibrate(
  graph: Graph,
  dataset: Dataset,
  engine: Engine,
  options: CalibrateOptions,
): Promise<Ranges> {
  if (dataset.count === 0 || options.samples < 1) {
    throw new WhittleError('data.missing', `${dataset.path} has no samples to calibrate on`, {
      hint: 'Full integer precision needs samples; a hundred typical ones are a good start.',
    });
  }
  const indices = chooseSamples(dataset.count, options.samples, options.seed, dataset.labels);
  const kindOf = (id: ValueId) => observerKind(options.observers?.get(id) ?? options.observer);
  const axes = channelAxes(graph);
  const watched = [...new Set([...watchedValues(graph), ...axes.keys()])];
  const observed = watched.filter((id) => !kindOf(id).extentOnly);
  const passes = observed.length > 0 ? 2 : 1;
  const pass = (number: number) => ({
    indices,
    signal: options.signal,
    onSample: (done: number) => options.onProgress?.(number * indices.length + done, passes * indices.length),
  });
  const first = new Map(
    watched.map((id) => {
      const kind = kindOf(id);
      return [id, new ChannelRecord(kind.extentOnly ? kind.create() : undefined)];
    }),
  );
  const reduced = watched.map((value) => ({
    value,
    extent: 'reduced' as const,
    channelAxis: axes.get(value),
  }));
  await observe(graph, reduced, dataset, engine, pass(0), (tap, results) => {
    first.get(tap.value)!.add(tap, results);
  });
  const factors =
    options.equalize === false
      ? new Map<ValueId, Float64Array>()
      : equalize(graph, channelStatistics(first), indices.length);
  const second = new Map<ValueId, Observer>();
  if (observed.length > 0) {
    for (const id of observed) second.set(id, kindOf(id).create());
    const whole = observed.map((value) => ({ value, extent: 'whole' as const }));
    await observe(scaleChannels(graph, factors), whole, dataset, engine, pass(1), (tap, results) => {
      second.get(tap.value)!.observe(toFloat32(results[tap.value]));
    });
  }
  const ranges = new Map<ValueId, Range>();
  for (const [id, record] of first) {
    const divisors = factors.get(id);
    const range = second.get(id)?.range() ?? record.range(divisors);
    ranges.set(id, { ...range, seen: record.seen(), factors: divisors, channelMeans: record.means() });
  }
  return ranges;
}

interface Pass {
  readonly indices: readonly number[];
  readonly signal?: AbortSignal;
  onSample(done: number): void;
}

type Results = Readonly<Record<string, Tensor>>;

/** Runs samples through the graph, one at a time, and hands each value's statistics over. */
async function observe(
  graph: Graph,
  requests: readonly TapRequest[],
  dataset: Dataset,
  engine: Engine,
  { indices, signal, onSample }: Pass,
  take: (tap: Tap, results: Results) => void,
): Promise<void> {
  const statistics = withStatistics(graph, requests);
  const session = await engine.open(writeOnnx(statistics.graph));
  try {
    for (const [done, index] of indices.entries()) {
      if (signal?.aborted) throw new WhittleError('job.cancelled', 'calibration was cancelled');
      const results = await session.run(await dataset.sample(index));
      for (const tap of statistics.taps) {
        requireFinite(tap, results, index);
        take(tap, results);
      }
      onSample(done + 1);
    }
  } finally {
    await session.close();
  }
}

function requireFinite(tap: Tap, results: Results, sample: number): void {
  const seen =
    tap.min && tap.max
      ? [readSlice(results, tap.min), readSlice(results, tap.max)]
      : [toFloat32(results[tap.value])];
  if (seen.every(allFinite)) return;
  throw new WhittleError('runtime.failed', `${tap.value} is not finite on sample ${sample}`, {
    hint: 'The float model overflows on this sample: check its preprocessing, or leave the sample out.',
  });
}

function channelStatistics(records: ReadonlyMap<ValueId, ChannelRecord>): Map<ValueId, ChannelStatistics> {
  const statistics = new Map<ValueId, ChannelStatistics>();
  for (const [id, record] of records) {
    const found = record.statistics();
    if (found) statistics.set(id, found);
  }
  return statistics;
}
