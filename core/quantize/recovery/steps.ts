import type { QuantPlan } from '../plan.ts';
import { balancedRounding } from './balanced-rounding.ts';
import { biasCorrection } from './bias-correction.ts';
import { errorFeedback } from './error-feedback.ts';
import type { RecoveryContext, RecoveryStep, SampledRecoveryStep } from './recovery.ts';
import { sequentialBiasCorrection } from './sequential-bias-correction.ts';
import { sequentialErrorFeedback } from './sequential-error-feedback.ts';

/** The steps that need no further run, in the order in which they run: biases come last, for the weights that remain. */
export const recoverySteps: readonly RecoveryStep[] = [balancedRounding, biasCorrection];

/** The steps that run samples, in order. */
export const sampledRecoverySteps: readonly SampledRecoveryStep[] = [
  errorFeedback,
  sequentialErrorFeedback,
  sequentialBiasCorrection,
];

/** Runs recovery steps on a plan. */
export function recover(
  plan: QuantPlan,
  context: RecoveryContext,
  steps: readonly RecoveryStep[] = recoverySteps,
): QuantPlan {
  return steps.reduce((current, step) => step.run(current, context).plan, plan);
}
