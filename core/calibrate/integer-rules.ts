import type { Node } from '../ir/graph.ts';
import type { QuantRule, SlotRule } from '../ops/facets.ts';
import { quantRuleOf } from '../ops/registry.ts';

/** The rule of an input slot; the last rule repeats for operators with any number of inputs. */
export function slotRule(rule: QuantRule, slot: number): SlotRule {
  return rule.inputs[Math.min(slot, rule.inputs.length - 1)];
}

/** The quantization rule of a node, or undefined when its operator has no integer kernel. */
export function integerRule(node: Node): QuantRule | undefined {
  const rule = quantRuleOf(node);
  return rule && (rule.tflite.int8 || rule.tflite.int16x8) ? rule : undefined;
}
