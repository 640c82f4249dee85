import type { Ranges } from '../calibrate/observer.ts';
import type { Precision, Recipe } from '../contract/views.ts';
import { ownNumbers } from '../quantize/onnx-form.ts';
import type { QuantPlan } from '../quantize/plan.ts';
import { needsSamples, planQuantization } from '../quantize/quantize.ts';
import type { RecoverySamples } from '../quantize/recovery/recovery.ts';
import { type ArtifactTarget, furtherTarget } from './artifact-targets.ts';
import { type MakeContext, requireSamples } from './make-artifact.ts';
import { type MixedPoint, searchMixed } from './mixed-search.ts';
import type { ProgressStep } from './progress.ts';
import {
  fittingSamples,
  openRecoveryBench,
  planFast,
  planWithRecovery,
  type RecoveredPlan,
} from './recover-plan.ts';

/** A file to make, and what its values become. */
export interface PlannedTarget extends RecoveredPlan {
  readonly target: ArtifactTarget;
}

/** Gives each target its plan, and a searched one the further points of its front; one plan serves both formats where it can. */
export function createPlans(
  ranges: Ranges,
  context: MakeContext,
  hasRanges: boolean,
): (target: ArtifactTarget, progress: ProgressStep) => Promise<readonly PlannedTarget[]> {
  const plans = new Map<string, RecoveredPlan>();
  const forms = { tflite: context.forTflite.graph, onnx: context.forOnnx.graph };
  const { io, pureInteger, onnxForm, recovery } = context.recipe;
  let searched: ReturnType<typeof searchMixed> | undefined;
  let bench: ReturnType<typeof openRecoveryBench> | undefined;
  let samples: RecoverySamples | undefined;
  return async (target, progress) => {
    if (context.kept) return [{ target: { ...target, io: context.kept.io }, plan: context.kept.plan }];
    const { precision } = target;
    const form = ownNumbers(onnxForm, target.format);
    if (needsSamples(precision) && !hasRanges) requireSamples(precision);
    if (precision === 'auto') {
      searched ??= searchMixed(ranges, context, progress);
      const { best, others } = await searched;
      const planOf = ({ plan, choices }: MixedPoint): QuantPlan =>
        form ? planQuantization(forms, ranges, { precision, io, pureInteger, form, choices }) : plan;
      const further = others.map((point, i) => ({
        target: furtherTarget(target, i + 2, `${point.quality.toFixed(0)} dB`),
        plan: planOf(point),
      }));
      return [{ target, plan: planOf(best) }, ...further];
    }
    const key = `${precision} ${form}`;
    const options = { precision, io, pureInteger, form, choices: context.overrides };
    const made =
      plans.get(key) ??
      (await context.timings.measure('quantize', async () => {
        if (recovery === 'off' || ranges.size === 0 || isFloat(precision))
          return { plan: planQuantization(forms, ranges, { ...options, recovery: recovery !== 'off' }) };
        if (recovery === 'fast') {
          samples ??= fittingSamples(context);
          return { plan: await planFast(ranges, options, context, samples) };
        }
        bench ??= openRecoveryBench(context);
        return planWithRecovery(ranges, options, context, await bench, progress);
      }));
    plans.set(key, made);
    return [{ target, ...made }];
  };
}

/** About how many times as long as making one file it takes to find its plan. */
export function planWeight({ precision }: Pick<ArtifactTarget, 'precision'>, { recovery }: Recipe): number {
  if (precision === 'auto') return 8;
  return recovery === 'auto' && !isFloat(precision) ? 4 : 0;
}

/** Whether all numbers of a file stay reals. */
export function isFloat(precision: Precision): boolean {
  return precision === 'float32' || precision === 'float16';
}
