import type { Ranges } from '../calibrate/observer.ts';
import { scaleChannels } from '../calibrate/scale-channels.ts';
import type { IoType, Precision } from '../contract/views.ts';
import type { Graph } from '../ir/graph.ts';
import { applyPlanForOnnx, type QdqOptions } from './apply-qdq.ts';
import { applyPlanForTflite } from './apply-tflite.ts';
import { type DecideOptions, decidePlan, ioTypeFor } from './decide.ts';
import { decideMixed, type OperatorPrecision } from './decide-mixed.ts';
import { storeInFloat16 } from './float16.ts';
import { factorMap, type PlanWarning, type QuantPlan } from './plan.ts';
import type { RecoveryContext } from './recovery/recovery.ts';
import { recover } from './recovery/steps.ts';

export interface QuantizedGraph {
  readonly graph: Graph;
  /** The type that float inputs and outputs got. */
  readonly io: IoType;
  /** The plan's warnings and those that arose in applying it. */
  readonly warnings: readonly PlanWarning[];
}

/** Whether a precision needs calibrated ranges. */
export function needsSamples(precision: Precision): boolean {
  return precision === 'int8' || precision === 'int16x8' || precision === 'auto';
}

export interface PreparedForms {
  /** Of `prepareForTflite`: the plan is decided on it. */
  readonly tflite: Graph;
  /** Of `prepareForOnnx`, which was calibrated. */
  readonly onnx: Graph;
}

export interface PlanOptions extends DecideOptions {
  /** Another precision for some operators, by node name. */
  readonly choices?: ReadonlyMap<string, OperatorPrecision>;
  /** False leaves the recovery steps out. */
  readonly recovery?: boolean;
}

/**
 * The plan for one precision, recovery steps included; the one plan serves both file formats.
 * @param ranges of `calibrate`; may be empty where `needsSamples` says no, and is still of use there
 */
export function planQuantization(forms: PreparedForms, ranges: Ranges, options: PlanOptions): QuantPlan {
  const { choices } = options;
  const plan = choices?.size
    ? decideMixed(forms.tflite, ranges, { ...options, choices })
    : decidePlan(forms.tflite, ranges, options);
  return options.recovery === false ? plan : recover(plan, recoveryContext(forms, plan, ranges));
}

/** What recovery steps look at beside a plan. */
export function recoveryContext(forms: PreparedForms, plan: QuantPlan, ranges: Ranges): RecoveryContext {
  const factors = factorMap(plan);
  return {
    graph: scaleChannels(forms.onnx, factors),
    planned: scaleChannels(forms.tflite, factors),
    ranges,
  };
}

/** @param graph the one that the plan was made from */
export function quantizeForTflite(graph: Graph, plan: QuantPlan, options: { io: IoType }): QuantizedGraph {
  const io = ioTypeFor(plan.precision, options.io);
  const halves = (made: Graph): QuantizedGraph => {
    const stored = withHalves(made, plan);
    return { graph: stored.graph, io, warnings: [...plan.warnings, ...stored.warnings] };
  };
  if (isFloatPlan(plan)) return halves(graph);
  return halves(applyPlanForTflite(scaleChannels(graph, factorMap(plan)), plan, { io }));
}

/** Whether no operator of a plan gets integers. */
function isFloatPlan(plan: QuantPlan): boolean {
  return Object.values(plan.nodes).every(({ mode }) => mode === 'float');
}

/** Stores constants in float16: all of them for that precision, else those of the operators that were given it. */
function withHalves(graph: Graph, plan: QuantPlan): { graph: Graph; warnings: readonly PlanWarning[] } {
  const isMixed = Object.keys(plan.nodes).length > 0;
  if (!isMixed && plan.precision === 'float16') return storeInFloat16(graph);
  const chosen = (id: string) => plan.nodes[id]?.storage === 'float16';
  if (!graph.nodes.some(({ id }) => chosen(id))) return { graph, warnings: [] };
  return storeInFloat16(graph, ({ id }) => chosen(id));
}

/** @param graph of `prepareForOnnx`, from the same source as the plan's graph */
export function quantizeForOnnx(graph: Graph, plan: QuantPlan, options: QdqOptions): QuantizedGraph {
  const io = ioTypeFor(plan.precision, options.io);
  const finish = (made: Graph): QuantizedGraph => {
    const stored = withHalves(made, plan);
    return { graph: stored.graph, io, warnings: [...plan.warnings, ...stored.warnings] };
  };
  if (isFloatPlan(plan)) return finish(graph);
  const scaled = scaleChannels(graph, factorMap(plan));
  return finish(applyPlanForOnnx(scaled, plan, { io, form: options.form }));
}
