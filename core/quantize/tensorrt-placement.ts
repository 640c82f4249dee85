import { consumersOf, type Graph, type Node, producersOf, valueNamed } from '../ir/graph.ts';
import { operandKey, operandPlan, type QuantPlan } from './plan.ts';
import { floatOperands, type Operand, ruleOf } from './rules.ts';

/**
 * Keys of the operands that TensorRT wants a QuantizeLinear, DequantizeLinear pair before (TensorRT's guide to explicit
 * quantization): what weighted operators read, weights included, and the other operand where the result of a weighted
 * operator is added to something, as in a residual block. The result itself goes on without a pair, so that operator,
 * addition and activation are fused, and a pair that the next weighted operator has makes the fused result integer.
 * Operators without weights are left alone: half quantized they would only break fusions.
 */
export function placeForTensorrt(graph: Graph, plan: QuantPlan): Set<string> {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const keys = new Set<string>();
  const hasPlan = (node: Node, { slot, value }: Operand) =>
    operandPlan(plan, node.id, slot, value.id) !== undefined;
  /** Whether a value is a weighted operator's own result for one reader. */
  const isFused = (id: string): boolean => {
    const producer = producers.get(id);
    return (
      producer !== undefined &&
      isWeighted(graph, producer) &&
      !outputs.has(id) &&
      consumers.get(id)?.length === 1
    );
  };
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    const mode = plan.nodes[node.id]?.mode;
    if (!rule || mode === undefined || mode === 'float') continue;
    const operands = floatOperands(graph, node, rule).filter((operand) => hasPlan(node, operand));
    if (isWeighted(graph, node)) {
      for (const { slot, rule: kind } of operands) {
        if (kind.kind === 'weight' || (kind.kind === 'activation' && mode === 'integer'))
          keys.add(operandKey(node.id, slot));
      }
      continue;
    }
    const isSum =
      rule.outputs[0]?.kind === 'activation' &&
      operands.length === 2 &&
      operands.every(({ value }) => !value.constant);
    const fused = isSum && mode === 'integer' ? operands.filter(({ value }) => isFused(value.id)) : [];
    // Where both are such results, the second one takes the first one in.
    const kept = fused.at(-1);
    if (!kept) continue;
    for (const operand of operands) if (operand !== kept) keys.add(operandKey(node.id, operand.slot));
  }
  return keys;
}

function isWeighted(graph: Graph, node: Node): boolean {
  const rule = ruleOf(node);
  if (!rule) return false;
  return node.inputs.some(
    (id, slot) =>
      id !== null &&
      rule.inputs[Math.min(slot, rule.inputs.length - 1)]?.kind === 'weight' &&
      valueNamed(graph, id).constant !== undefined,
  );
}
