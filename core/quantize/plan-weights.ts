/** What constant weights become, by what the operator that takes them computes in. */
import { type Graph, type Node, valueNamed } from '../ir/graph.ts';
import { toFloat32 } from '../ir/tensor.ts';
import type { ValuePlan } from './plan.ts';
import { biasSlot, floatOperands, ruleOf } from './rules.ts';
import { storedWeights, type WeightPrecision } from './stored-weights.ts';
import { fitToKernels, weightParams } from './weight-params.ts';

/**
 * Adds parameters for the constant weights of one integer operator, wide enough for all operators that share them.
 */
export function planIntegerWeights(
  graph: Graph,
  node: Node,
  values: Record<string, ValuePlan>,
  { narrowBias, reduced }: { narrowBias: boolean; reduced: boolean },
): void {
  const rule = ruleOf(node)!;
  const operands = floatOperands(graph, node, rule);
  const bias = biasSlot(rule);
  for (const { slot, rule: slotRule, value } of operands) {
    if (slotRule.kind !== 'weight' || !value.constant) continue;
    const found = values[value.id] ?? weightParams(value.constant, slotRule.axis, 'int8', reduced);
    const biasId = bias?.of[1] === slot ? node.inputs[bias.slot] : null;
    const constant = biasId ? valueNamed(graph, biasId).constant : undefined;
    const fitted = fitToKernels(found, {
      inputScale: values[node.inputs[bias?.of[0] ?? 0]!].scales[0],
      outputScale: values[node.outputs[0]].scales[0],
      bias: constant && toFloat32(constant),
      narrowBias,
    });
    values[value.id] = { ...fitted, dtype: 'int8', reason: weightReason(slotRule.axis) };
  }
}

/**
 * Adds parameters for the weights of an operator that takes integer weights and makes reals. A head's matrix gets one
 * scale for all, since runtimes before 2.17 have no such kernel with a scale per row.
 */
export function planHybridWeights(
  graph: Graph,
  node: Node,
  values: Record<string, ValuePlan>,
  { reduced, isHead }: { readonly reduced: boolean; readonly isHead: boolean },
): void {
  for (const { rule, value } of floatOperands(graph, node, ruleOf(node)!)) {
    if (rule.kind !== 'weight' || !value.constant || values[value.id]) continue;
    const axis = isHead && value.constant.shape.length <= 2 ? null : rule.axis;
    values[value.id] = {
      ...weightParams(value.constant, axis, 'int8', reduced),
      dtype: 'int8',
      reason: weightReason(axis),
    };
  }
}

/** Adds parameters for the weights of an operator that computes in reals. */
export function planStoredWeights(
  graph: Graph,
  node: Node,
  values: Record<string, ValuePlan>,
  precision: WeightPrecision,
  reduced = false,
): void {
  for (const { value, axis, type } of storedWeights(graph, node, precision)) {
    values[value.id] ??= {
      ...weightParams(value.constant!, axis, type, reduced),
      dtype: type,
      reason: weightReason(axis, type),
    };
  }
}

function weightReason(axis: number | null, type: 'int4' | 'int8' = 'int8'): string {
  if (axis === null) return 'largest magnitude';
  return type === 'int4' ? 'least squared error per channel' : 'largest magnitude per channel';
}
