/** A plan, which is decided on the TFLite form of a graph, as the ONNX form takes it. */
import type { Graph } from '../ir/graph.ts';
import { asUint8 } from './borders.ts';
import { operandPlan, type QuantPlan, type ValuePlan } from './plan.ts';
import { floatOperands, inputRule, onlyMoves, ruleOf } from './rules.ts';

/**
 * Gives values that exist in this form only their parameters: constants in another axis order, and what operators
 * that only move elements make of planned values. A move of integers stays among integers even where its reader is a
 * float operator: onnxruntime up to 1.32 cannot open a lone move behind a DequantizeLinear from opset 21 on.
 */
export function withPropagated(graph: Graph, plan: QuantPlan): QuantPlan {
  const values: Record<string, ValuePlan> = { ...plan.values };
  const nodes = { ...plan.nodes };
  const integerMade = new Set<string>();
  for (const node of graph.nodes) {
    node.inputs.forEach((id, slot) => {
      const known = id !== null && graph.values.get(id)?.constant && operandPlan(plan, node.id, slot, id);
      if (id !== null && known) values[id] = known;
    });
    const rule = ruleOf(node);
    const source = rule && onlyMoves(rule) ? floatOperands(graph, node, rule)[0]?.value.id : undefined;
    if (source && values[source] && integerMade.has(source) && nodes[node.id]?.mode === 'float') {
      nodes[node.id] = { mode: 'integer', reason: 'moves integers' };
    }
    if (nodes[node.id]?.mode === 'float') continue;
    for (const id of node.outputs) {
      if (source && values[source]) values[id] ??= values[source];
      if (values[id]) integerMade.add(id);
    }
  }
  return { ...plan, values, nodes };
}

/** Gives int8 activations unsigned integers; weights keep theirs. */
export function withUint8(graph: Graph, plan: QuantPlan): QuantPlan {
  const weights = new Set<string | null>();
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    node.inputs.forEach((id, slot) => {
      if (rule && inputRule(rule, slot).kind === 'weight') weights.add(id);
    });
  }
  const unsigned = (values: Readonly<Record<string, ValuePlan>>) =>
    Object.fromEntries(
      Object.entries(values).map(([id, value]) => [
        id,
        value.dtype === 'int8' && !weights.has(id) ? asUint8(value) : value,
      ]),
    );
  return { ...plan, values: unsigned(plan.values), requantized: unsigned(plan.requantized) };
}
