import { WhittleError } from '../contract/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Session } from '../ir/engine.ts';
import type { Tensor } from '../ir/tensor.ts';
import { argmax } from '../kernels/metrics.ts';
import { spreadIndexes } from '../kernels/spread.ts';
import { type ClassOutput, classFrom, findClassOutput, type OutputProfile } from './class-scores.ts';
import { adaptFeeds, adaptResults, type PortAdapters, type SourceOutput } from './port-adapters.ts';

export type SampleOutputs = Readonly<Record<string, SourceOutput>>;

export interface RunOptions {
  /** At most this many samples, spread evenly over the dataset; all when left out. */
  readonly samples?: number;
  readonly portAdapters?: PortAdapters;
  readonly signal?: AbortSignal;
  /** Called after each sample with the number done and the number there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ReferenceOptions extends RunOptions {
  /** Name of the output that holds class scores, where the caller knows; else it is told from values and labels. */
  readonly classOutput?: string;
  /** What the very same network answered to samples before, by dataset index: those are not run again. */
  readonly known?: ReadonlyMap<number, Readonly<Record<string, Tensor>>>;
  /** Outputs are kept in memory up to this many bytes; beyond, the source runs again for each comparison. */
  readonly keepBytes?: number;
}

/** What the float source answers to the samples that artifacts are compared on. */
export interface Reference {
  /** Dataset indexes of the samples, in order. */
  readonly indexes: readonly number[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly profiles: readonly OutputProfile[];
  readonly classOutput?: ClassOutput;
  /** The source's class per sample, when an output is class scores. */
  readonly classes?: Int32Array;
  /** Share of labelled samples that the source gets right. */
  readonly accuracy?: number;
  readonly labels?: number;
  /** Whether all outputs were kept, so that the source's session need not stay open. */
  readonly complete: boolean;
  /** The source's outputs of the n-th of `indexes`. */
  outputs(n: number): Promise<SampleOutputs>;
}

export const defaultKeepBytes = 64 * 2 ** 20;

/** @throws WhittleError `job.cancelled` */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new WhittleError('job.cancelled', 'the job was cancelled');
}

/** One sample through one session, as the source's outputs. */
export async function runSample(
  session: Session,
  dataset: Dataset,
  index: number,
  adapters: PortAdapters | undefined,
  shapes?: Reference['shapes'],
): Promise<SampleOutputs> {
  const feeds = adaptFeeds(session.inputs, await dataset.sample(index), adapters);
  return adaptResults(session.outputs, await session.run(feeds), adapters, shapes);
}

/**
 * Runs the source over the samples, one at a time. Outputs are kept while they fit `keepBytes`, so memory stays
 * bounded whatever the number of samples.
 * @throws WhittleError `data.missing` without samples, `job.cancelled`, and what the session throws
 */
export async function runReference(
  session: Session,
  dataset: Dataset,
  options: ReferenceOptions = {},
): Promise<Reference> {
  const indexes = spreadIndexes(dataset.count, options.samples);
  if (indexes.length === 0) throw new WhittleError('data.missing', `${dataset.path} has no samples`);
  const kept: SampleOutputs[] = [];
  let room = options.keepBytes ?? defaultKeepBytes;
  const observed = new Map<string, Observed>();
  const steps = outputSteps(session, options.portAdapters);
  for (const [n, index] of indexes.entries()) {
    throwIfCancelled(options.signal);
    const answered = options.known?.get(index);
    const outputs = answered
      ? adaptResults(session.outputs, answered, options.portAdapters)
      : await runSample(session, dataset, index, options.portAdapters);
    for (const [name, output] of Object.entries(outputs)) {
      const known = observed.get(name) ?? startObserving(name, output, indexes.length, steps[name] ?? 0);
      observed.set(name, known);
      observe(known, output, n);
    }
    room -= Object.values(outputs).reduce((bytes, output) => bytes + output.values.byteLength, 0);
    if (room >= 0) kept.push(outputs);
    options.onProgress?.(n + 1, indexes.length);
  }
  const profiles = [...observed.values()].map(({ profile }) => profile);
  const labels = dataset.labels && Int32Array.from(indexes, (index) => dataset.labels![index]);
  const classOutput = findClassOutput(profiles, labels, options.classOutput);
  const outputs = async (n: number): Promise<SampleOutputs> =>
    kept[n] ?? runSample(session, dataset, indexes[n], options.portAdapters);
  const base = {
    indexes,
    shapes: Object.fromEntries(profiles.map(({ name, shape }) => [name, shape])),
    profiles,
    complete: kept.length === indexes.length,
    outputs,
  };
  if (!classOutput) return base;
  const { best, first } = observed.get(classOutput.name)!;
  const classes = best.map((index, n) => classFrom(classOutput, index, first[n]));
  return {
    ...base,
    classOutput,
    classes,
    ...(labels && { accuracy: shareOfEqual(classes, labels), labels: labels.length }),
  };
}

/** The same reference on some of its samples only. `positions` are into its `indexes`. */
export function partOfReference(
  reference: Reference,
  positions: readonly number[],
  labels?: Int32Array,
): Reference {
  const indexes = positions.map((n) => reference.indexes[n]);
  const classes = reference.classes && Int32Array.from(positions, (n) => reference.classes![n]);
  const known = labels && reference.accuracy !== undefined;
  return {
    ...reference,
    indexes,
    ...(classes && { classes }),
    ...(classes &&
      known && {
        accuracy: shareOfEqual(
          classes,
          indexes.map((index) => labels[index]),
        ),
        labels: indexes.length,
      }),
    outputs: (n) => reference.outputs(positions[n]),
  };
}

export function shareOfEqual(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return a.length === 0 ? 0 : equal / a.length;
}

/** What is gathered of one output in the one pass over the samples. */
interface Observed {
  readonly profile: { -readonly [K in keyof OutputProfile]: OutputProfile[K] };
  /** Per sample: index of the largest value, and the first value. */
  readonly best: Int32Array;
  readonly first: Float32Array;
  /** How far from one a sum may be. */
  readonly tolerance: number;
}

function startObserving(
  name: string,
  { shape, values }: SourceOutput,
  count: number,
  step: number,
): Observed {
  return {
    profile: { name, shape, min: Infinity, max: -Infinity, distribution: values.length > 1 },
    best: new Int32Array(count),
    first: new Float32Array(count),
    // float32 softmax over many classes is off by rounding; integer outputs by up to half a step in each class.
    tolerance: Math.min(0.5, 1e-3 + (step * values.length) / 2),
  };
}

function observe({ profile, best, first, tolerance }: Observed, { values }: SourceOutput, n: number): void {
  let sum = 0;
  for (const value of values) {
    if (value < profile.min) profile.min = value;
    if (value > profile.max) profile.max = value;
    sum += value;
  }
  const isDistribution = profile.min >= 0 && profile.max <= 1.0001 && Math.abs(sum - 1) < tolerance;
  if (!isDistribution) profile.distribution = false;
  best[n] = argmax(values);
  first[n] = values[0];
}

/** Quantization step of each output that has one, by the source's names. */
function outputSteps(session: Session, adapters: PortAdapters = {}): Record<string, number> {
  return Object.fromEntries(
    session.outputs.flatMap(({ name, quant }) =>
      quant ? [[adapters[name]?.source ?? name, quant.scales[0]]] : [],
    ),
  );
}
