import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph, ValueId } from '../ir/graph.ts';
import { type Tensor, toFloat32 } from '../ir/tensor.ts';
import { allFinite } from '../kernels/scan.ts';
import type { Observer, Range, Ranges } from './observer.ts';
import { observerKind } from './observers.ts';
import { chooseSamples } from './samples.ts';
import { type Taps, withStatistics } from './statistics-graph.ts';
import { watchedValues, weightedInputs } from './watch.ts';

export interface CalibrateOptions {
  /** At most this many samples; all there are when the dataset has fewer. */
  readonly samples: number;
  readonly observer: Calibration;
  readonly seed: number;
  /** Obeyed between samples. */
  readonly signal?: AbortSignal;
  /** After every sample. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs samples through the float graph and watches the range of every value that a quantized slot needs. Samples are
 * read, run and forgotten one at a time, so memory does not grow with their number.
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
  const kind = observerKind(options.observer);
  const weighted = weightedInputs(graph);
  const watched = new Set([...watchedValues(graph), ...weighted.map(({ value }) => value)]);
  const statistics = withStatistics(graph, [...watched], weighted, !kind.extentOnly);
  const observers = new Map<ValueId, Observer>(statistics.taps.map(({ value }) => [value, kind.create()]));
  const means = new MeanSums();
  const indices = chooseSamples(dataset.count, options.samples, options.seed, dataset.labels);
  const session = await engine.open(writeOnnx(statistics.graph));
  try {
    for (const [done, index] of indices.entries()) {
      if (options.signal?.aborted) throw new WhittleError('job.cancelled', 'calibration was cancelled');
      const results = await session.run(await dataset.sample(index));
      for (const tap of statistics.taps) observeTap(tap, results, observers, means, index);
      options.onProgress?.(done + 1, indices.length);
    }
  } finally {
    await session.close();
  }
  const ranges = new Map<ValueId, Range>();
  for (const [value, observer] of observers) {
    ranges.set(value, { ...observer.range(), channelMeans: means.meansOf(value) });
  }
  return ranges;
}

function observeTap(
  tap: Taps,
  results: Readonly<Record<string, Tensor>>,
  observers: ReadonlyMap<ValueId, Observer>,
  means: MeanSums,
  sample: number,
): void {
  const observer = observers.get(tap.value)!;
  if (tap.min !== undefined && tap.max !== undefined) {
    const extent = Float32Array.of(toFloat32(results[tap.min])[0], toFloat32(results[tap.max])[0]);
    requireFinite(extent, tap.value, sample);
    observer.observe(extent);
  } else if (results[tap.value]) {
    const data = toFloat32(results[tap.value]);
    requireFinite(data, tap.value, sample);
    observer.observe(data);
  }
  if (tap.channelMeans !== undefined) means.add(tap.value, toFloat32(results[tap.channelMeans]));
}

function requireFinite(data: Float32Array, value: ValueId, sample: number): void {
  if (allFinite(data)) return;
  throw new WhittleError('runtime.failed', `${value} is not finite on sample ${sample}`, {
    hint: 'The float model overflows on this sample: check its preprocessing, or leave the sample out.',
  });
}

/** Running sums of channel means. */
class MeanSums {
  private readonly sums = new Map<ValueId, { sum: Float64Array; samples: number }>();

  add(value: ValueId, means: Float32Array): void {
    let entry = this.sums.get(value);
    if (!entry) {
      entry = { sum: new Float64Array(means.length), samples: 0 };
      this.sums.set(value, entry);
    }
    for (let c = 0; c < means.length; c++) entry.sum[c] += means[c];
    entry.samples++;
  }

  meansOf(value: ValueId): Float64Array | undefined {
    const entry = this.sums.get(value);
    return entry?.sum.map((sum) => sum / entry.samples);
  }
}
