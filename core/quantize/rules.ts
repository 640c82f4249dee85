import { type Graph, type Node, type Value, valueNamed } from '../ir/graph.ts';
import type { OutputRule, QuantRule, SlotRule } from '../ops/facets.ts';
import { quantRuleOf } from '../ops/registry.ts';

/** The quantization rule of a node's operator; undefined when it always stays in float. */
export function ruleOf(node: Node): QuantRule | undefined {
  return quantRuleOf(node);
}

export function inputRule(rule: QuantRule, slot: number): SlotRule {
  return rule.inputs[Math.min(slot, rule.inputs.length - 1)] ?? { kind: 'plain' };
}

export function outputRule(rule: QuantRule, slot: number): OutputRule {
  return rule.outputs[Math.min(slot, rule.outputs.length - 1)] ?? { kind: 'plain' };
}

export function isFloatValue(value: Value): boolean {
  return value.type.dtype === 'float32';
}

/** One input of a node with its rule and value; left-out inputs are not listed. */
export interface Operand {
  readonly slot: number;
  readonly rule: SlotRule;
  readonly value: Value;
}

/** A node's present inputs that hold reals, by slot. */
export function floatOperands(graph: Graph, node: Node, rule: QuantRule): Operand[] {
  const operands: Operand[] = [];
  node.inputs.forEach((id, slot) => {
    if (id === null) return;
    const value = valueNamed(graph, id);
    const slotRule = inputRule(rule, slot);
    if (slotRule.kind !== 'plain' && isFloatValue(value)) operands.push({ slot, rule: slotRule, value });
  });
  return operands;
}

/** A node's constant weights. */
export function weightsOf(graph: Graph, node: Node): Value[] {
  const rule = ruleOf(node);
  if (!rule) return [];
  return floatOperands(graph, node, rule)
    .filter(({ rule: slot, value }) => slot.kind === 'weight' && value.constant)
    .map(({ value }) => value);
}

/** Position of the bias among an operator's inputs, with the two inputs whose scales make its own. */
export function biasSlot(rule: QuantRule): { slot: number; of: readonly [number, number] } | undefined {
  const slot = rule.inputs.findIndex((input) => input.kind === 'bias');
  const found = rule.inputs[slot];
  return found?.kind === 'bias' ? { slot, of: found.of } : undefined;
}

/** Whether an operator only hands elements on: every output has the parameters of its input. */
export function onlyMoves(rule: QuantRule): boolean {
  return rule.outputs.length > 0 && rule.outputs.every((output) => output.kind === 'same-as-input');
}
