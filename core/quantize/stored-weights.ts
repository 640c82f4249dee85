import type { Graph, Node, Value } from '../ir/graph.ts';
import { sizeOf } from './constants.ts';
import { floatOperands, ruleOf } from './rules.ts';

/** Precisions that store weights in integers and compute in reals with what activations are. */
export type WeightPrecision = 'dynamic-int8' | 'weights-int8' | 'weights-int4';

/** Bytes that a scale (float32) and a zero point (int64) take in a file. */
export const paramsBytes = 12;
/** Bytes that a widening operator and what it makes take in a file. */
export const wideningBytes = 160;

/**
 * Weights of fewer elements are not stored in integers (the threshold of TensorFlow's converter): next to all others
 * they take few bytes, in float16 half of them, and their errors count as much.
 */
const fewestElements = 1024;

/** The type of integers in which weights are stored; undefined where they are few or tables outweigh what is saved. */
export function storedType(
  elements: number,
  channels: number,
  precision: WeightPrecision,
): 'int4' | 'int8' | undefined {
  const type = precision === 'weights-int4' ? 'int4' : 'int8';
  const savedBytes = elements * (type === 'int4' ? 3.5 : 3);
  const tableBytes = channels * paramsBytes + (precision === 'dynamic-int8' ? 0 : wideningBytes);
  return elements >= fewestElements && savedBytes > tableBytes ? type : undefined;
}

export interface StoredWeights {
  readonly value: Value;
  /** Axis with a scale per channel; null for one scale. */
  readonly axis: number | null;
  readonly type: 'int4' | 'int8';
}

/** Those of an operator's constant weights that a precision stores in integers. */
export function storedWeights(graph: Graph, node: Node, precision: WeightPrecision): StoredWeights[] {
  const rule = ruleOf(node);
  if (!rule) return [];
  return floatOperands(graph, node, rule).flatMap(({ rule: slot, value }): StoredWeights[] => {
    if (slot.kind !== 'weight' || !value.constant) return [];
    const channels = slot.axis === null ? 1 : value.constant.shape[slot.axis];
    const type = storedType(sizeOf(value.constant), channels, precision);
    return type ? [{ value, axis: slot.axis, type }] : [];
  });
}
