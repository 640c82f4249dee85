import type { QuantPlan } from '../plan.ts';
import { biasCorrection } from './bias-correction.ts';
import type { RecoveryContext, RecoveryStep } from './recovery.ts';

/** The recovery steps in the order in which they run: biases are corrected last, for the weights that remain. */
export const recoverySteps: readonly RecoveryStep[] = [biasCorrection];

/** Runs recovery steps on a plan. */
export function recover(
  plan: QuantPlan,
  context: RecoveryContext,
  steps: readonly RecoveryStep[] = recoverySteps,
): QuantPlan {
  return steps.reduce((current, step) => step.run(current, context).plan, plan);
}
