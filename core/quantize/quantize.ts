import type { Ranges } from '../calibrate/observer.ts';
import { scaleChannels } from '../calibrate/scale-channels.ts';
import { WhittleError } from '../contract/errors.ts';
import type { IoType, Precision } from '../contract/views.ts';
import type { Graph } from '../ir/graph.ts';
import { applyPlanForOnnx } from './apply-qdq.ts';
import { applyPlanForTflite } from './apply-tflite.ts';
import { type DecideOptions, decidePlan, ioTypeFor } from './decide.ts';
import { storeInFloat16 } from './float16.ts';
import { factorMap, type PlanWarning, type QuantPlan } from './plan.ts';
import { recover } from './recovery/steps.ts';

export interface QuantizedGraph {
  readonly graph: Graph;
  /** The type that float inputs and outputs got. */
  readonly io: IoType;
  /** The plan's warnings and those that arose in applying it. */
  readonly warnings: readonly PlanWarning[];
}

export interface QuantizedOnnxGraph extends QuantizedGraph {
  /** The lowest opset whose operators can say what the graph needs. */
  readonly opset: number;
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

/**
 * The plan for one precision, recovery steps included; the one plan serves both file formats.
 * @param ranges of `calibrate`; may be empty where `needsSamples` says no, and is still of use there
 */
export function planQuantization(forms: PreparedForms, ranges: Ranges, options: DecideOptions): QuantPlan {
  const plan = decidePlan(forms.tflite, ranges, options);
  return recover(plan, { graph: scaleChannels(forms.onnx, factorMap(plan)), ranges });
}

/** @param graph the one that the plan was made from */
export function quantizeForTflite(graph: Graph, plan: QuantPlan, options: { io: IoType }): QuantizedGraph {
  const io = ioTypeFor(plan.precision, options.io);
  if (plan.precision === 'float32') return { graph, io, warnings: plan.warnings };
  if (plan.precision === 'float16') {
    const stored = storeInFloat16(graph);
    return { graph: stored.graph, io, warnings: [...plan.warnings, ...stored.warnings] };
  }
  const scaled = scaleChannels(graph, factorMap(plan));
  return { graph: applyPlanForTflite(scaled, plan, { io }), io, warnings: plan.warnings };
}

/**
 * @param graph of `prepareForOnnx`, from the same source as the plan's graph
 * @throws WhittleError `precision.unsupported` for dynamic-int8, which QDQ cannot say
 */
export function quantizeForOnnx(graph: Graph, plan: QuantPlan, options: { io: IoType }): QuantizedOnnxGraph {
  const io = ioTypeFor(plan.precision, options.io);
  switch (plan.precision) {
    case 'float32':
      return { graph, io, warnings: plan.warnings, opset: 13 };
    case 'float16': {
      const stored = storeInFloat16(graph);
      return { graph: stored.graph, io, warnings: [...plan.warnings, ...stored.warnings], opset: 13 };
    }
    case 'dynamic-int8':
      throw new WhittleError('precision.unsupported', 'dynamic-int8 has no QDQ form in ONNX', {
        hint: 'weights-int8 makes the same file size; int8 runs fastest.',
      });
    default: {
      // 16-bit and 4-bit types came to QuantizeLinear and DequantizeLinear in opset 21.
      const opset = plan.precision === 'int16x8' || plan.precision === 'weights-int4' ? 21 : 13;
      const scaled = scaleChannels(graph, factorMap(plan));
      return { graph: applyPlanForOnnx(scaled, plan, { io }), io, warnings: plan.warnings, opset };
    }
  }
}
