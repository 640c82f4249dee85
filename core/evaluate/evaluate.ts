import type { QualityView } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Session } from '../ir/engine.ts';
import { ErrorSums } from '../kernels/metrics.ts';
import { classOf } from './class-scores.ts';
import { OutputWatch, type WatchedOutput } from './output-watch.ts';
import { type Reference, type RunOptions, runSample, shareOfEqual, throwIfCancelled } from './reference.ts';

/** One artifact compared with the source on the reference's samples. */
export interface Evaluation {
  readonly quality: QualityView;
  /** What the gates look at, per output by the source's names. */
  readonly outputs: readonly WatchedOutput[];
  /** Samples whose class is another than the source's. */
  readonly changed: readonly { index: number; before: number; after: number }[];
}

export interface EvaluateOptions extends Omit<RunOptions, 'samples'> {}

/**
 * Runs an artifact on the reference's samples and compares, one sample at a time. Quantized inputs and outputs are
 * converted with the ports' own parameters; differences of layout are what `portAdapters` says.
 * SQNR is 10·log10(Σ ref² ÷ Σ (ref − out)²) over all outputs and samples.
 * @throws WhittleError `data.mismatch` when ports do not fit the source's, `job.cancelled`, and what the session throws
 */
export async function evaluateArtifact(
  session: Session,
  dataset: Dataset,
  reference: Reference,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const sums = new ErrorSums();
  const watches = reference.profiles.map((profile) => new OutputWatch(profile));
  const { classOutput, classes, indexes } = reference;
  const answers = new Int32Array(indexes.length);
  for (const [n, index] of indexes.entries()) {
    throwIfCancelled(options.signal);
    const wanted = await reference.outputs(n);
    const got = await runSample(session, dataset, index, options.portAdapters, reference.shapes);
    for (const watch of watches) {
      const values = got[watch.name].values;
      sums.add(wanted[watch.name].values, values);
      watch.observe(n, wanted[watch.name].values, values);
    }
    if (classOutput) answers[n] = classOf(classOutput, got[classOutput.name].values);
    options.onProgress?.(n + 1, indexes.length);
  }
  const quality: QualityView = {
    samples: indexes.length,
    sqnrDb: sums.sqnrDb(),
    cosine: sums.cosine(),
    maxAbsError: sums.maxAbsError,
  };
  const changed: { index: number; before: number; after: number }[] = [];
  if (classes) {
    quality.top1Agreement = shareOfEqual(answers, classes);
    for (const [n, index] of indexes.entries())
      if (answers[n] !== classes[n]) changed.push({ index, before: classes[n], after: answers[n] });
    if (dataset.labels && reference.accuracy !== undefined) {
      const labels = dataset.labels;
      quality.accuracy = shareOfEqual(
        answers,
        Int32Array.from(indexes, (index) => labels[index]),
      );
      quality.referenceAccuracy = reference.accuracy;
      quality.labels = reference.labels;
    }
  }
  return { quality, outputs: watches.map((watch) => watch.summary()), changed };
}
