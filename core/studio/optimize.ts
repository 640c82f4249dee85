import { resolve } from 'node:path';
import { withDerivedRanges } from '../calibrate/derived-ranges.ts';
import type { Ranges } from '../calibrate/observer.ts';
import { WhittleError } from '../contract/errors.ts';
import { type ArtifactView, type OptimizeReport, Recipe } from '../contract/views.ts';
import type { Engines } from '../ir/engine.ts';
import { spreadIndexes } from '../kernels/spread.ts';
import { settleOnnxForm } from '../quantize/onnx-form.ts';
import { resolveOverrides } from '../quantize/overrides.ts';
import { needsSamples } from '../quantize/quantize.ts';
import { type ArtifactTarget, failedArtifact, listTargets } from './artifact-targets.ts';
import { calibrateSource } from './calibrate-source.ts';
import { pause, throwIfAborted } from './cooperative-dataset.ts';
import { estimatePeakBytes } from './estimate-memory.ts';
import { comparedSamples, isRunAsOnnxGraph, openReference } from './float-reference.ts';
import { viewSource } from './inspect.ts';
import { letGo } from './let-go.ts';
import { type MakeContext, makeArtifact } from './make-artifact.ts';
import { createPlans, isFloat, planWeight } from './plan-targets.ts';
import { createProgress, type ProgressStep } from './progress.ts';
import { readForms } from './read-forms.ts';
import type { TaskContext } from './run-task.ts';
import { refuseExisting } from './safe-files.ts';
import type { DataSource } from './tasks.ts';
import { Timings } from './timings.ts';
import type { TrialMark } from './trial.ts';
import { whittleVersion } from './version.ts';

export interface OptimizeRequest {
  readonly path: string;
  readonly recipe: Recipe;
  readonly data?: DataSource;
  readonly outDir: string;
  /** Replace files that are there already. */
  readonly force?: boolean;
  /** Also measure what `artifact.detail` shows. */
  readonly detail?: boolean;
  /** Bytes of weights from which on an ONNX model becomes two files; what the format allows by default. */
  readonly mostOnnxWeights?: number;
  /** Of a trial: its files have names of their own. */
  readonly mark?: TrialMark;
}

/**
 * The one path from a model to verified files: read, prepare, calibrate once, then for each precision plan, apply,
 * write aside, run in the real engine against the float source, check, and give the file its name. A precision that
 * fails becomes an artifact that says why; the others go on. The same request gives byte-identical files.
 * @throws WhittleError when nothing can be made: an unreadable or unsupported model, samples that do not fit, files in
 * the way, `job.cancelled`. No file is left half-written.
 */
export async function optimize(
  request: OptimizeRequest,
  context: Omit<TaskContext, 'engineStatus'>,
): Promise<OptimizeReport> {
  const timings = new Timings();
  const { signal, engines } = context;
  const given = await settledRecipe(Recipe.parse(request.recipe), engines);
  const targets = listTargets(request.path, given, resolve(request.outDir), request.mark);
  const overriding = given.overrides.map(({ precision }) => precision ?? 'float32');
  // Ranges are of use to every precision that has integers.
  const hasIntegers = [...given.precisions, ...overriding].some((precision) => !isFloat(precision));
  const calibrated = hasIntegers && request.data !== undefined;
  const root = createProgress((update) => context.onProgress?.(update));
  const steps = root.split({
    read: 4,
    prepare: 2,
    calibrate: calibrated ? 10 : 0,
    reference: 4,
    make: 6 * targets.length,
  });

  if (targets.length === 0)
    throw new WhittleError('recipe.invalid', 'The recipe names no precision or no format.');
  if (!request.force) await refuseExisting(targets.map((target) => target.path));

  const { source, recipe, inputs, kept, keptRanges, forOnnx, forTflite, dataset, close } = await readForms(
    { request, given, targets },
    { timings, steps, signal },
  );
  try {
    letGo(source.sizeBytes);
    const overrides = resolveOverrides({ tflite: forTflite.graph, onnx: forOnnx.graph }, recipe.overrides);
    steps.prepare.finish();
    await pause();

    const compared = comparedSamples(recipe);
    const memoryBytes = estimatePeakBytes(forOnnx.graph, compared);
    if (calibrated && memoryBytes !== undefined)
      steps.calibrate.begin(`Calibrating; the run takes about ${Math.round(memoryBytes / 1e6)} MB of memory`);
    const calibration =
      calibrated && !kept && !keptRanges
        ? await timings.measure('calibrate', () =>
            calibrateSource(forOnnx.graph, dataset, engines.ort, {
              recipe,
              observers: overrides.observers,
              wanted: new Set(isRunAsOnnxGraph(source) ? spreadIndexes(dataset.count, compared) : []),
              signal,
              onProgress: (done, total) =>
                steps.calibrate.report(done / total, `Calibrating ${done}/${total}`),
            }),
          )
        : undefined;
    steps.calibrate.finish();

    const reference = await timings.measure('verify', () =>
      openReference(source, forOnnx.graph, dataset, {
        engines,
        samples: compared,
        known: calibration?.answers,
        signal,
        onProgress: (done, total) =>
          steps.reference.report(done / total, `Running the source ${done}/${total}`),
      }),
    );
    steps.reference.finish();
    context.onReference?.(reference.view);
    try {
      const make: MakeContext = {
        recipe,
        overrides: overrides.precisions,
        forTflite,
        forOnnx,
        dataset,
        inputs,
        reference,
        engines,
        force: request.force ?? false,
        detail: request.detail ?? false,
        timings,
        sourceName: viewSource(source).name,
        sourceSizeBytes: source.sizeBytes,
        verified: new Map(),
        mostOnnxWeights: request.mostOnnxWeights,
        kept,
        calibration: keptRanges ? { warnings: [rangesKept] } : calibration,
        signal,
      };
      const ranges = keptRanges
        ? withDerivedRanges(forOnnx.graph, keptRanges)
        : (calibration?.ranges ?? new Map());
      const hasRanges = request.data !== undefined || keptRanges !== undefined;
      const artifacts = await makeAll(targets, ranges, make, steps.make, hasRanges, context);
      root.finish();
      root.flush();
      return {
        whittle: whittleVersion(),
        source: viewSource(source),
        artifacts,
        reference: reference.view,
        timingsMs: timings.toJSON(),
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
        recipe,
      };
    } finally {
      await reference.close();
    }
  } finally {
    await close();
  }
}

const rangesKept = {
  code: 'quantize.kept',
  message: 'The source is quantized: ranges are those that its scales stand for, and nothing was calibrated.',
};

/** Puts what `auto` stands for here into a recipe of integer ONNX files, so that its report says how to make them again. */
async function settledRecipe(recipe: Recipe, engines: Engines): Promise<Recipe> {
  const chosen = [...recipe.precisions, ...recipe.overrides.map(({ precision }) => precision ?? 'float32')];
  const computesIntegers = chosen.some(
    (precision) => needsSamples(precision) || precision === 'dynamic-int8',
  );
  if (!recipe.formats.includes('onnx') || !computesIntegers) return recipe;
  return { ...recipe, onnxForm: await settleOnnxForm(recipe.onnxForm, engines.ort, process.arch) };
}

async function makeAll(
  targets: readonly ArtifactTarget[],
  ranges: Ranges,
  context: MakeContext,
  step: ProgressStep,
  hasRanges: boolean,
  { onArtifact }: Pick<TaskContext, 'onArtifact'>,
): Promise<ArtifactView[]> {
  const steps = step.split(
    Object.fromEntries(
      targets.map(({ id, precision }) => [id, 1 + planWeight({ precision }, context.recipe)]),
    ),
  );
  const artifacts: ArtifactView[] = [];
  const plans = createPlans(ranges, context, hasRanges);
  for (const target of targets) {
    const parts = steps[target.id].split({ plan: planWeight(target, context.recipe), make: 1 });
    parts.plan.begin(`${target.precision}: planning`);
    await pause();
    throwIfAborted(context.signal);
    try {
      const planned = await plans(target, parts.plan);
      parts.plan.finish();
      for (const each of planned) {
        const made = await makeArtifact(each.target, each.plan, context, parts.make);
        const artifact = { ...made.artifact, recovery: each.recovery };
        artifacts.push(artifact);
        onArtifact?.(artifact, made.detail);
      }
    } catch (error) {
      // What ends the whole run is not one precision's failure.
      if (error instanceof WhittleError && endsRun.has(error.code)) throw error;
      const failed = failedArtifact(target, error);
      artifacts.push(failed);
      onArtifact?.(failed, undefined);
    }
    steps[target.id].finish();
  }
  return artifacts;
}

const endsRun: ReadonlySet<string> = new Set(['job.cancelled', 'file.no-space', 'file.exists']);
