import type { Ranges } from '../calibrate/observer.ts';
import type { Precision, RecoveryView } from '../contract/views.ts';
import { spread } from '../kernels/spread.ts';
import type { QuantPlan } from '../quantize/plan.ts';
import { type PlanOptions, planQuantization, recoveryContext } from '../quantize/quantize.ts';
import { errorFeedbackWithin } from '../quantize/recovery/error-feedback.ts';
import { KnownMoments } from '../quantize/recovery/input-moments.ts';
import type { RecoveryResult, RecoverySamples, SampledRecoveryStep } from '../quantize/recovery/recovery.ts';
import {
  sequentialBiasCorrection,
  sequentialBiasCorrectionWithin,
} from '../quantize/recovery/sequential-bias-correction.ts';
import { sequentialErrorFeedbackWithin } from '../quantize/recovery/sequential-error-feedback.ts';
import { recoverySteps, sampledRecoverySteps } from '../quantize/recovery/steps.ts';
import type { WeightedNode } from '../quantize/recovery/weighted-nodes.ts';
import type { MakeContext } from './make-artifact.ts';
import type { ProgressStep } from './progress.ts';
import { calibrationSamples, openBench, type TrialBench, trialFormat, tryPlan } from './try-plan.ts';

export interface RecoveredPlan {
  readonly plan: QuantPlan;
  /** What each step that had something to do gained, in order; absent where nothing was measured. */
  readonly recovery?: RecoveryView[];
}

/** Multiply-accumulates that fitting weights to samples may take where nothing is measured: next to nobody's wait. */
const affordable = 1e9;
/** The same where activations are integers too, and make nearly all of the error. */
const affordableInIntegers = 0.3e9;

/** Samples that steps run, and samples that their gain is measured on; apart where there are enough. */
const fittedSamples = 64;
const measuredSamples = 64;

/** Less than this, on so few samples, other samples may turn around. */
const clearGainDb = 0.5;

/** One way to win quality back: a plan made from the one so far. */
interface Attempt {
  readonly id: string;
  run(plan: QuantPlan, samples: RecoverySamples): RecoveryResult | Promise<RecoveryResult>;
}

/** What all precisions of a run try their steps on. */
export interface RecoveryBench {
  /** What steps are fitted to. */
  readonly samples: RecoverySamples;
  /** What `recovery: fast` fits to, which holds nothing back. */
  readonly all: RecoverySamples;
  readonly bench: TrialBench;
}

/** @throws WhittleError `job.cancelled`, and what the engine throws */
export async function openRecoveryBench(context: MakeContext): Promise<RecoveryBench> {
  const chosen = calibrationSamples(context);
  const fitted = spread(chosen, Math.min(fittedSamples, Math.ceil(chosen.length / 2)));
  const bench = await openBench(context, new Set(fitted), measuredSamples);
  return { samples: samplesAt(fitted, context), all: fittingSamples(context), bench };
}

/** Samples to fit weights to where nothing is held back. */
export function fittingSamples(context: MakeContext): RecoverySamples {
  return samplesAt(spread(calibrationSamples(context), fittedSamples), context);
}

function samplesAt(indexes: readonly number[], { dataset, engines, signal }: MakeContext): RecoverySamples {
  return { dataset, indexes, engine: engines.ort, signal, found: new KnownMoments() };
}

/**
 * The plan of `recovery: fast`, unmeasured: what statistics tell, weights rounded for the inputs that samples give, and
 * biases corrected along the quantized network, as far as that takes next to no time.
 * @throws WhittleError `job.cancelled`, and what planning and the engine throw
 */
export async function planFast(
  ranges: Ranges,
  options: Omit<PlanOptions, 'recovery'>,
  context: MakeContext,
  samples: RecoverySamples,
): Promise<QuantPlan> {
  const most = options.precision === 'int8' ? affordableInIntegers : affordable;
  return (await planUsual(ranges, options, context, samples, most)).plan;
}

interface UsualPlan {
  readonly plan: QuantPlan;
  /** Steps that had something to do, by their ids. */
  readonly taken: ReadonlySet<string>;
}

/** @param most multiply-accumulates that each step may take; all that it wants when left out */
async function planUsual(
  ranges: Ranges,
  options: Omit<PlanOptions, 'recovery'>,
  context: MakeContext,
  samples: RecoverySamples,
  most?: number,
): Promise<UsualPlan> {
  const forms = { tflite: context.forTflite.graph, onnx: context.forOnnx.graph };
  let plan = planQuantization(forms, ranges, options);
  const given = recoveryContext(forms, plan, ranges);
  const taken = new Set(['equalization', ...recoverySteps.map(({ id }) => id)]);
  for (const step of usualSteps(options.precision, most)) {
    const result = await step.run(plan, given, samples);
    if (result.changes > 0) taken.add(step.id);
    plan = result.plan;
  }
  return { plan, taken };
}

/** What is worth its time for a precision: the coarser its integers, the more is to be won. */
function usualSteps(precision: Precision, most?: number): SampledRecoveryStep[] {
  const limit = most ?? Number.POSITIVE_INFINITY;
  const isShared = (sharing: readonly WeightedNode[]) => sharing.length > 1;
  if (precision === 'weights-int4')
    return [errorFeedbackWithin(limit, isShared), sequentialErrorFeedbackWithin(limit)];
  if (precision !== 'int8') return [errorFeedbackWithin(limit)];
  const correction = most === undefined ? sequentialBiasCorrection : sequentialBiasCorrectionWithin(most);
  return [errorFeedbackWithin(limit), correction];
}

/**
 * Plans a precision and tries each recovery step in turn in the real engine: what gains on samples that no step saw is
 * kept, what does not is left out, and the gain of each is told. What is not clearly better there than the steps of
 * `recovery: fast`, however long they take, gives way to them; the better is fitted once more, to all samples.
 * @throws WhittleError `job.cancelled`, and what planning, writing and the engines throw
 */
export async function planWithRecovery(
  ranges: Ranges,
  options: Omit<PlanOptions, 'recovery'>,
  context: MakeContext,
  { samples, all, bench }: RecoveryBench,
  progress: ProgressStep,
): Promise<RecoveredPlan> {
  const forms = { tflite: context.forTflite.graph, onnx: context.forOnnx.graph };
  const planOf = (given: Ranges) => planQuantization(forms, given, { ...options, recovery: false });
  const contextOf = (plan: QuantPlan) => recoveryContext(forms, plan, ranges);
  const equalized = planOf(ranges);
  const attempts: Attempt[] = [
    { id: 'equalization', run: () => ({ plan: equalized, changes: Object.keys(equalized.factors).length }) },
    ...[...recoverySteps, ...sampledRecoverySteps].map((step) => ({
      id: step.id,
      run: (plan: QuantPlan, given: RecoverySamples) => step.run(plan, contextOf(plan), given),
    })),
  ];

  const levelOf = async (plan: QuantPlan): Promise<number> => {
    const { quality } = await tryPlan(plan, trialFormat(context), bench.reference, bench.context);
    return quality.sqnrDb ?? Infinity;
  };
  const bare = planOf(withoutFactors(ranges));
  let plan = bare;
  let level = await levelOf(plan);
  const recovery: RecoveryView[] = [];
  const kept: Attempt[] = [];
  for (const [n, attempt] of attempts.entries()) {
    progress.report(n / attempts.length, `${options.precision}: trying ${attempt.id.replaceAll('-', ' ')}`);
    const { plan: tried, changes } = await attempt.run(plan, samples);
    if (changes === 0) continue;
    const reached = await levelOf(tried);
    const gainDb = reached === level ? 0 : reached - level;
    recovery.push({ id: attempt.id, gainDb, kept: gainDb > 0 });
    if (gainDb <= 0) continue;
    kept.push(attempt);
    [plan, level] = [tried, reached];
  }
  const usual = await planUsual(ranges, options, context, samples);
  if (level >= (await levelOf(usual.plan)) + clearGainDb) {
    let fitted = bare;
    for (const attempt of kept) fitted = (await attempt.run(fitted, all)).plan;
    return { plan: fitted, recovery };
  }
  const { plan: fitted, taken } = await planUsual(ranges, options, context, all);
  return { plan: fitted, recovery: recovery.map((step) => ({ ...step, kept: taken.has(step.id) })) };
}

/** The ranges of a network whose channels are left as they are. */
function withoutFactors(ranges: Ranges): Ranges {
  return new Map(
    [...ranges].map(([id, range]) => [
      id,
      range.factors ? { ...range, ...range.seen, factors: undefined } : range,
    ]),
  );
}
