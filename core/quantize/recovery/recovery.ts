import type { Ranges } from '../../calibrate/observer.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Engine } from '../../ir/engine.ts';
import type { Graph } from '../../ir/graph.ts';
import type { QuantPlan } from '../plan.ts';
import type { KnownMoments } from './input-moments.ts';

export interface RecoveryContext {
  /** The float graph that was calibrated, whose axis order the channel means have; channels scaled as the plan says. */
  readonly graph: Graph;
  /** The graph that the plan was decided on, scaled alike. */
  readonly planned: Graph;
  /** What calibration saw; may be empty. */
  readonly ranges: Ranges;
}

/** Samples to run through the float graph, and what runs them. */
export interface RecoverySamples {
  readonly dataset: Dataset;
  /** Which samples, in order. */
  readonly indexes: readonly number[];
  /** One that runs ONNX. */
  readonly engine: Engine;
  /** What was found of their inputs already, for plans of the same graph; filled as steps run. */
  readonly found: KnownMoments;
  /** Obeyed between samples. */
  readonly signal?: AbortSignal;
}

/** What a multiply-accumulate of the runtime's kernels takes of the time of one in a loop of ours. */
export const runtimeShare = 0.05;

export interface RecoveryResult {
  readonly plan: QuantPlan;
  /** Operators whose plan is another now. */
  readonly changes: number;
}

/** Wins back accuracy that a plan loses, by changing the plan. Never changes its argument. */
export interface RecoveryStep {
  readonly id: string;
  /** One sentence for the report. */
  readonly summary: string;
  run(plan: QuantPlan, context: RecoveryContext): RecoveryResult;
}

/** A step that runs samples through the network. */
export interface SampledRecoveryStep {
  readonly id: string;
  readonly summary: string;
  /** @throws WhittleError `job.cancelled`, and what the engine throws */
  run(plan: QuantPlan, context: RecoveryContext, samples: RecoverySamples): Promise<RecoveryResult>;
}
