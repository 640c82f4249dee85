import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { drawSamples } from '../data/draw-samples.ts';
import type { Engine } from '../ir/engine.ts';
import { type Graph, type ValueId, valueNamed } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { allFinite, type Extent } from '../kernels/scan.ts';
import { spread } from '../kernels/spread.ts';
import { ChannelRecord } from './channel-record.ts';
import { chooseRanges, trialSamples } from './choose-ranges.ts';
import { ElementWatch } from './element-watch.ts';
import { type ChannelStatistics, equalize } from './equalize.ts';
import type { Range, Ranges } from './observer.ts';
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
 * read, run and forgotten one at a time, in one pass, so memory does not grow with their number; `auto` tries what
 * observers offer on a few of them again.
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
  const trying = tried.length > 0 ? spread(indices, trialSamples(graph, tried)) : [];
  const total = indices.length + 2 * trying.length;
  let done = 0;
  const run: Run = {
    dataset,
    engine,
    signal: options.signal,
    onSample: () => options.onProgress?.(++done, total),
  };

  const { records, elements, factors } = await watchSamples(
    graph,
    watched,
    kindOf,
    axes,
    indices,
    run,
    options,
  );
  const ranges = new Map<ValueId, Range>();
  for (const [id, record] of records) {
    const divisors = factors.get(id);
    const range = record.range(divisors);
    ranges.set(id, { ...range, seen: record.seen(), factors: divisors, channelMeans: record.means() });
  }
  const found: Calibrated = { ranges, samples: indices, stability: stabilityOf(halvesOf(records)) };
  if (observed.length === 0) return found;

  const candidates = new Map<ValueId, CandidateObserver>();
  for (const [id, watch] of elements) {
    const observer = watch.finish(ranges.get(id)!);
    if (observer instanceof CandidateObserver) candidates.set(id, observer);
    else ranges.set(id, { ...ranges.get(id)!, ...observer.range() });
  }
  for (const [id, range] of await chooseRanges(scaleChannels(graph, factors), candidates, trying, run)) {
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

/** What one pass over the samples finds. */
interface Watched {
  readonly records: ReadonlyMap<ValueId, ChannelRecord>;
  /** Of the values whose observers look at elements. */
  readonly elements: ReadonlyMap<ValueId, ElementWatch>;
  /** Of `equalize`. */
  readonly factors: ReadonlyMap<ValueId, Float64Array>;
}

/**
 * Extents of all values, means where there are channels, and elements where observers look at them. How channels are
 * scaled is decided from all samples; where elements wait for it, from as many as there is room for.
 */
async function watchSamples(
  graph: Graph,
  watched: readonly ValueId[],
  kindOf: (id: ValueId) => ObserverKind,
  axes: ReadonlyMap<ValueId, number>,
  indices: readonly number[],
  run: Run,
  { equalize: equalized = true, onOutputs }: Pick<CalibrateOptions, 'equalize' | 'onOutputs'>,
): Promise<Watched> {
  const positive = neverNegative(graph);
  const observed = watched.filter((id) => !kindOf(id).extentOnly);
  const wanted = (id: ValueId) =>
    Math.min(Math.max(Math.ceil(kindOf(id).elements / indices.length), ofSample.least), ofSample.most);
  const { graph: watching, taps } = withStatistics(
    graph,
    [
      ...watched.map((value) => ({
        value,
        kind: 'extent' as const,
        channelAxis: axes.get(value),
        neverNegative: positive.has(value),
      })),
      ...observed.map((value) => ({ value, kind: 'elements' as const, wanted: wanted(value) })),
    ],
    onOutputs && graph.outputs,
  );
  const records = new Map(
    watched.map((id) => {
      const kind = kindOf(id);
      return [id, new ChannelRecord(kind.extentOnly ? kind.create() : undefined)];
    }),
  );
  const elements = new Map<ValueId, ElementWatch>();
  for (const tap of taps)
    if (tap.elements) elements.set(tap.value, new ElementWatch(kindOf(tap.value).create(), tap));

  const perSample = taps.reduce((sum, tap) => sum + (tap.elements?.length ?? 0), 0);
  const decidedAfter =
    perSample === 0 ? indices.length : Math.min(indices.length, decidingSamples(perSample));
  let factors = new Map<ValueId, Float64Array>();
  const decide = () => {
    if (equalized) factors = equalize(graph, channelStatistics(records));
    for (const [id, watch] of elements) {
      const axis = axes.get(id) ?? 0;
      const { shape } = valueNamed(graph, id).type;
      watch.settle(factors.get(id), elementCount(shape.slice(axis + 1).map(Number)));
    }
  };
  let seen = 0;
  await runSamples(watching, indices, run, (results, index) => {
    for (const tap of taps) {
      if (tap.elements) elements.get(tap.value)!.add(results);
      else {
        requireFinite(tap, results, index);
        records.get(tap.value)!.add(tap, results);
      }
    }
    if (++seen === decidedAfter) decide();
    onOutputs?.(index, Object.fromEntries(graph.outputs.map((id) => [id, results[id]])));
  });
  return { records, elements, factors };
}

/** Elements of one value that are looked at of each sample, at least and at most. */
const ofSample = { least: 1024, most: 32768 };
/** Elements of all values that wait until it is decided how channels are scaled: 64 MB. */
const mostWaiting = 2 ** 24;

/** After how many samples it is decided how channels are scaled; more change little. */
function decidingSamples(elementsPerSample: number): number {
  return Math.min(Math.max(Math.floor(mostWaiting / elementsPerSample), 8), 50);
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
