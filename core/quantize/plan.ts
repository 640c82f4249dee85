import type { Precision } from '../contract/views.ts';
import type { DType } from '../ir/dtype.ts';
import type { QuantParams, ValueId } from '../ir/graph.ts';
import { symmetricLimit } from '../kernels/affine.ts';

/** What one value becomes. */
export interface ValuePlan extends QuantParams {
  readonly dtype: DType;
  /** Why these numbers: "min-max of 100 samples", "same as conv_1", "fixed by the specification", … */
  readonly reason: string;
  /** A constant's integers where a recovery step chose others than the nearest ones; int4 one to a byte. */
  readonly integers?: Int8Array;
  /** Largest magnitude of a constant's integers, where it is less than what the type holds. */
  readonly limit?: number;
}

/** Largest magnitude that a symmetric constant's integers may have. */
export function weightLimit({ dtype, limit }: Pick<ValuePlan, 'dtype' | 'limit'>): number {
  return limit ?? symmetricLimit[dtype === 'int4' ? 'int4' : 'int8'];
}

/** What one operator becomes. */
export interface NodePlan {
  readonly mode: 'float' | 'integer' | 'hybrid' | 'weights-only';
  readonly reason: string;
  /** Set where a float operator's constants are stored in half the bytes. */
  readonly storage?: 'float16';
}

export interface PlanWarning {
  readonly code: string;
  readonly message: string;
  readonly node?: string;
}

/**
 * The decision, as plain data: it can be shown, saved, edited and compared. `apply` turns it into a graph for the
 * TFLite writer or into a QDQ graph for the ONNX writer, from the same numbers. Biases have no entry: their scale is
 * the product of the input's and the weights' scales.
 */
export interface QuantPlan {
  readonly precision: Precision;
  readonly values: Readonly<Record<ValueId, ValuePlan>>;
  readonly nodes: Readonly<Record<string, NodePlan>>;
  /**
   * Operands that a node takes with other parameters than their producer gives, by `operandKey`: an operator whose
   * operands must share one scale, fed by one whose scale the specification fixes.
   */
  readonly requantized: Readonly<Record<string, ValuePlan>>;
  /**
   * Names of planned constants by the `operandKey` of those who take them: a graph in another axis order may hold the
   * same constant reordered, under another name.
   */
  readonly constants: Readonly<Record<string, ValueId>>;
  /** Divisors per channel by value name; weights are scaled by them before they are quantized (`scaleChannels`). */
  readonly factors: Readonly<Record<ValueId, readonly number[]>>;
  /** Biases by node name that recovery steps put in place of the model's own. */
  readonly biases: Readonly<Record<string, readonly number[]>>;
  readonly warnings: readonly PlanWarning[];
}

/** A plan that changes nothing. */
export function emptyPlan(precision: Precision, warnings: readonly PlanWarning[] = []): QuantPlan {
  return {
    precision,
    values: {},
    nodes: {},
    requantized: {},
    constants: {},
    factors: {},
    biases: {},
    warnings,
  };
}

export function operandKey(node: string, slot: number): string {
  return `${node}#${slot}`;
}

/** Parameters of an operand: its value's, or those of the same constant under the name that the plan knows. */
export function operandPlan(plan: QuantPlan, node: string, slot: number, id: ValueId): ValuePlan | undefined {
  return plan.values[id] ?? plan.values[plan.constants[operandKey(node, slot)] ?? ''];
}

/** A plan's factors in the form that `scaleChannels` takes. */
export function factorMap(plan: QuantPlan): Map<ValueId, readonly number[]> {
  return new Map(Object.entries(plan.factors));
}
