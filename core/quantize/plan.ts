import type { Precision } from '../contract/views.ts';
import type { DType } from '../ir/dtype.ts';
import type { QuantParams, ValueId } from '../ir/graph.ts';

/** What one value becomes. */
export interface ValuePlan extends QuantParams {
  readonly dtype: DType;
  /** Why these numbers: "min-max of 100 samples", "same as conv_1", "fixed by the specification", … */
  readonly reason: string;
}

/** What one operator becomes. */
export interface NodePlan {
  readonly mode: 'float' | 'integer' | 'hybrid' | 'weights-only';
  readonly reason: string;
}

/**
 * The decision, as plain data: it can be shown, saved, edited and compared. `apply` turns it into a graph for the
 * TFLite writer or into a QDQ graph for the ONNX writer, from the same numbers.
 */
export interface QuantPlan {
  readonly precision: Precision;
  readonly values: Readonly<Record<ValueId, ValuePlan>>;
  readonly nodes: Readonly<Record<string, NodePlan>>;
  readonly warnings: readonly { code: string; message: string; node?: string }[];
}
