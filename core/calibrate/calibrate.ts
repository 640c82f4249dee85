import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { drawSamples } from '../data/draw-samples.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph, ValueId } from '../ir/graph.ts';
import { allFinite, type Extent } from '../kernels/scan.ts';
import { spread } from '../kernels/spread.ts';
import { ChannelRecord } from './channel-record.ts';
import { chooseRanges, trialSamples } from './choose-ranges.ts';
import { type ChannelStatistics, equalize } from './equalize.ts';
import type { Observer, Range, Ranges } from './observer.ts';
import { CandidateObserver, type ObserverKind, observerKind } from './observers.ts';
import { type Results, type Run, runSamples } from './run-samples.ts';
import { scaleChannels } from './scale-channels.ts';
import { type Stability, stabilityOf } from './stability.ts';
import { readSlice, type Tap, withStatistics } from './statistics-graph.ts';
import { channelAxes, neverNegative, watchedValues } from './watch.ts';

export interface CalibrateOptions {
  /** At most this many samples; all there are when the dataset has fewer. */
  readonly samples: number;
  readonly observer: Calibration;
  /** Other observers for some values, by name. */
  readonly observers?: ReadonlyMap<ValueId, Calibration>;
  readonly seed: number;
  /** Lets channels share one 8-bit scale better by moving factors between weights. Default true. */
  readonly equalize?: boolean;
  /** Takes what the graph itself answers to each sample, in the first pass; the tensors are the taker's own. */
  readonly onOutputs?: (index: number, outputs: Results) => void;
  /** Obeyed between samples. */
  readonly signal?: AbortSignal;
  /** After every sample of every pass. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Calibrated {
  readonly ranges: Ranges;
  /** Dataset indexes of the samples that were run, ascending. */
  readonly samples: readonly number[];
  /** Whether two halves of the samples tell the same ranges; undefined where there are no two. */
  readonly stability?: Stability;
}

/**
 * Runs samples through the float graph and watches the range of every value that a quantized slot needs. Samples are
 * read, run and forgotten one at a time, so memory does not grow with their number. Observers that look at elements
 * take a second pass, after channels were equalized; `auto` tries what they offer on a few samples more.
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
): Promise<Calibrated> {
  if (dataset.count === 0 || options.samples < 1) {
    throw new WhittleError('data.missing', `${dataset.path} has no samples to calibrate on`, {
      hint: 'Full integer precision needs samples; a hundred typical ones are a good start.',
    });
  }
  const indices = drawSamples(dataset.count, options.samples, options.seed, dataset.labels);
  const kindOf = (id: ValueId) => observerKind(options.observers?.get(id) ?? options.observer);
  const axes = channelAxes(graph);
  const watched = [...new Set([...watchedValues(graph), ...axes.keys()])];
  const observed = watched.filter((id) => !kindOf(id).extentOnly);
  const tried = observed.filter((id) => kindOf(id).tried);
  const looked = spread(indices, shapeSamples(indices.length, tried.length < observed.length));
  const trying = tried.length > 0 ? spread(indices, trialSamples(graph, tried)) : [];
  const total = indices.length + (observed.length > 0 ? looked.length : 0) + 2 * trying.length;
  let done = 0;
  const run: Run = {
    dataset,
    engine,
    signal: options.signal,
    onSample: () => options.onProgress?.(++done, total),
  };

  const records = await recordExtents(graph, watched, kindOf, axes, indices, run, options.onOutputs);
  const factors =
    options.equalize === false
      ? new Map<ValueId, Float64Array>()
      : equalize(graph, channelStatistics(records), indices.length);
  const ranges = new Map<ValueId, Range>();
  for (const [id, record] of records) {
    const divisors = factors.get(id);
    const range = record.range(divisors);
    ranges.set(id, { ...range, seen: record.seen(), factors: divisors, channelMeans: record.means() });
  }
  const found: Calibrated = { ranges, samples: indices, stability: stabilityOf(halvesOf(records)) };
  if (observed.length === 0) return found;

  const scaled = scaleChannels(graph, factors);
  const observers = new Map(observed.map((id) => [id, kindOf(id).create()]));
  await observeElements(scaled, observers, kindOf, ranges, looked, run);
  const candidates = new Map<ValueId, CandidateObserver>();
  for (const [id, observer] of observers) {
    if (observer instanceof CandidateObserver) candidates.set(id, observer);
    else ranges.set(id, { ...ranges.get(id)!, ...observer.range() });
  }
  for (const [id, range] of await chooseRanges(scaled, candidates, trying, run)) {
    ranges.set(id, { ...ranges.get(id)!, ...range });
  }
  return found;
}

function* halvesOf(
  records: ReadonlyMap<ValueId, ChannelRecord>,
): Generator<readonly [ValueId, readonly [Extent, Extent]]> {
  for (const [id, record] of records) {
    const halves = record.seenByHalves();
    if (halves) yield [id, halves];
  }
}

/** The first pass: extents and, where there are channels, means. */
async function recordExtents(
  graph: Graph,
  watched: readonly ValueId[],
  kindOf: (id: ValueId) => ObserverKind,
  axes: ReadonlyMap<ValueId, number>,
  indices: readonly number[],
  run: Run,
  onOutputs: CalibrateOptions['onOutputs'],
): Promise<Map<ValueId, ChannelRecord>> {
  const records = new Map(
    watched.map((id) => {
      const kind = kindOf(id);
      return [id, new ChannelRecord(kind.extentOnly ? kind.create() : undefined)];
    }),
  );
  const positive = neverNegative(graph);
  const { graph: reducing, taps } = withStatistics(
    graph,
    watched.map((value) => ({
      value,
      kind: 'extent',
      channelAxis: axes.get(value),
      neverNegative: positive.has(value),
    })),
    onOutputs && graph.outputs,
  );
  await runSamples(reducing, indices, run, (results, index) => {
    for (const tap of taps) {
      requireFinite(tap, results, index);
      records.get(tap.value)!.add(tap, results);
    }
    onOutputs?.(index, Object.fromEntries(graph.outputs.map((id) => [id, results[id]])));
  });
  return records;
}

/**
 * How many samples show how elements are distributed; the ends are those of all. Observers that were asked for by name
 * decide alone and get more.
 */
function shapeSamples(count: number, isNamed: boolean): number {
  return isNamed ? Math.max(48, Math.ceil(count / 2)) : 32;
}

/** Elements of one value that are looked at of each sample, at least and at most. */
const ofSample = { least: 1024, most: 32768 };

/** The second pass: elements, picked evenly, after the ends of all of them. */
async function observeElements(
  graph: Graph,
  observers: ReadonlyMap<ValueId, Observer>,
  kindOf: (id: ValueId) => ObserverKind,
  ranges: ReadonlyMap<ValueId, Range>,
  indices: readonly number[],
  run: Run,
): Promise<void> {
  const wanted = (id: ValueId) =>
    Math.min(Math.max(Math.ceil(kindOf(id).elements / indices.length), ofSample.least), ofSample.most);
  const { graph: picking, taps } = withStatistics(
    graph,
    [...observers.keys()].map((value) => ({ value, kind: 'elements', wanted: wanted(value) })),
  );
  for (const [id, observer] of observers) {
    const { min, max } = ranges.get(id)!;
    observer.observe(Float32Array.of(min, max));
  }
  await runSamples(picking, indices, run, (results) => {
    for (const tap of taps) observers.get(tap.value)!.observe(readSlice(results, tap.elements!));
  });
}

function requireFinite(tap: Tap, results: Results, sample: number): void {
  const slices = [tap.min, tap.max, tap.channelMeans].filter((slice) => slice !== undefined);
  if (slices.every((slice) => allFinite(readSlice(results, slice)))) return;
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
