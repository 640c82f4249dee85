import type { Ranges } from '../../calibrate/observer.ts';
import type { Graph } from '../../ir/graph.ts';
import type { QuantPlan } from '../plan.ts';

export interface RecoveryContext {
  /** The float graph that was calibrated, whose axis order the channel means have; channels scaled as the plan says. */
  readonly graph: Graph;
  /** What calibration saw; may be empty. */
  readonly ranges: Ranges;
}

/** Wins back accuracy that a plan loses, by changing the plan. Never changes its argument. */
export interface RecoveryStep {
  readonly id: string;
  /** One sentence for the report. */
  readonly summary: string;
  run(plan: QuantPlan, context: RecoveryContext): { plan: QuantPlan; changes: number };
}
