import { createHash } from 'node:crypto';
import { type Calibrated, calibrate } from '../calibrate/calibrate.ts';
import { withDerivedRanges } from '../calibrate/derived-ranges.ts';
import type { Ranges } from '../calibrate/observer.ts';
import { isUnsteady, type Stability } from '../calibrate/stability.ts';
import type { Calibration, CalibrationView, Recipe, WarningView } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { countLabels } from '../data/describe.ts';
import { defaultKeepBytes } from '../evaluate/reference.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph, ValueId } from '../ir/graph.ts';
import { contiguous, type Tensor } from '../ir/tensor.ts';

type Results = Readonly<Record<string, Tensor>>;

/** What calibrating a source gave. */
export interface SourceRanges {
  readonly ranges: Ranges;
  /** What the graph answered to the samples that were asked for, by dataset index; not all where they take much memory. */
  readonly answers: ReadonlyMap<number, Results>;
  readonly view: CalibrationView;
  readonly warnings: readonly WarningView[];
}

export interface CalibrateSourceOptions {
  readonly recipe: Recipe;
  readonly observers: ReadonlyMap<ValueId, Calibration>;
  /** Samples whose answers are of use later. */
  readonly wanted: ReadonlySet<number>;
  readonly signal?: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Calibrates once for all precisions, and keeps account of what on.
 * @param graph of `prepareForOnnx`
 * @throws WhittleError what `calibrate` throws
 */
export async function calibrateSource(
  graph: Graph,
  dataset: Dataset,
  engine: Engine,
  { recipe, observers, wanted, signal, onProgress }: CalibrateSourceOptions,
): Promise<SourceRanges> {
  const fed = hashing(dataset);
  const answers = new Map<number, Results>();
  let room = defaultKeepBytes;
  const calibrated = await calibrate(graph, fed.dataset, engine, {
    samples: recipe.samples,
    observer: recipe.calibration,
    observers,
    seed: recipe.seed,
    onOutputs: (index, outputs) => {
      if (!wanted.has(index)) return;
      for (const { bytes } of Object.values(outputs)) room -= bytes.byteLength;
      if (room >= 0) answers.set(index, outputs);
    },
    signal,
    onProgress,
  });
  const view = viewCalibration(calibrated, dataset, recipe, fed.digest());
  return {
    ranges: withDerivedRanges(graph, calibrated.ranges),
    answers,
    view,
    warnings: warningsOf(calibrated, dataset),
  };
}

/** The same samples, and a hash of those that were asked for, each taken once, in the order of their first reading. */
function hashing(dataset: Dataset): { dataset: Dataset; digest(): string } {
  const hash = createHash('sha256');
  const taken = new Set<number>();
  const sample = async (index: number): Promise<Record<string, Tensor>> => {
    const feeds = await dataset.sample(index);
    if (!taken.has(index)) {
      taken.add(index);
      for (const name of Object.keys(feeds).sort()) hash.update(name).update(contiguous(feeds[name]).bytes);
    }
    return feeds;
  };
  return { dataset: { ...dataset, sample }, digest: () => hash.digest('hex') };
}

function viewCalibration(
  { samples, stability }: Calibrated,
  dataset: Dataset,
  { seed, calibration }: Recipe,
  sha256: string,
): CalibrationView {
  const isAll = samples.length === dataset.count;
  return {
    path: dataset.path,
    samples: samples.length,
    available: dataset.count,
    chosen: isAll ? 'all' : dataset.labels ? 'by-class' : 'random',
    seed,
    observer: calibration,
    sha256,
    classes: countLabels(dataset, samples),
    stability: stability && {
      value: stability.value,
      difference: stability.difference,
      typical: stability.typical,
    },
  };
}

function warningsOf({ samples, stability }: Calibrated, { count }: Dataset): WarningView[] {
  if (stability && !isUnsteady(stability)) return [];
  const there = count > samples.length ? `; ${count} are there` : '';
  const advice = `Calibrate on more, at least ${Math.max(64, 2 * samples.length)} typical ones${there}.`;
  if (!stability) {
    const message = `Ranges come from one sample, which says nothing of others. ${advice}`;
    return samples.length < 2 ? [{ code: 'calibration.unsteady', message }] : [];
  }
  return [
    {
      code: 'calibration.unsteady',
      message: `${differenceInWords(stability, samples.length)}: too few for ranges to rely on. ${advice}`,
      node: stability.value,
    },
  ];
}

function differenceInWords({ value, halves, difference, typical }: Stability, samples: number): string {
  const percent = (part: number) => `${Math.round(part * 100)} %`;
  const [a, b] = halves.map(({ min, max }) => `${write(min)} to ${write(max)}`);
  return (
    `Two halves of the ${samples} samples give ranges that differ by ${percent(difference)} at ${value} ` +
    `(${a} against ${b}) and by ${percent(typical)} at a typical value`
  );
}

function write(value: number): string {
  return String(Number(value.toPrecision(3)));
}
