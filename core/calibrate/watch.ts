import { type Graph, type Node, type Value, type ValueId, valueOf } from '../ir/graph.ts';
import type { QuantRule, SlotRule } from '../ops/facets.ts';
import { definitionOf } from '../ops/registry.ts';

/** The rule of an input slot; the last rule repeats for operators with any number of inputs. */
export function slotRule(rule: QuantRule, slot: number): SlotRule {
  return rule.inputs[Math.min(slot, rule.inputs.length - 1)];
}

/** The quantization rule of a node, or undefined when its operator has no integer kernel. */
export function integerRule(node: Node): QuantRule | undefined {
  const rule = definitionOf(node.op)?.quant;
  return rule && (rule.tflite.int8 || rule.tflite.int16x8) ? rule : undefined;
}

function isFloatActivation(value: Value): boolean {
  return value.constant === undefined && value.type.dtype === 'float32';
}

/**
 * The values whose range some quantized slot needs, in graph order: what integer operators read and make, and the
 * graph's own inputs and outputs. Left out is what the specification fixes or an operator hands on unchanged.
 */
export function watchedValues(graph: Graph): ValueId[] {
  const watched = new Set<ValueId>();
  const derived = new Set<ValueId>();
  const watch = (id: ValueId) => {
    if (isFloatActivation(valueOf(graph, id)) && !derived.has(id)) watched.add(id);
  };
  for (const input of graph.inputs) watch(input);
  for (const node of graph.nodes) {
    const rule = integerRule(node);
    if (!rule) continue;
    node.inputs.forEach((id, slot) => {
      if (id !== null && slotRule(rule, slot).kind === 'activation') watch(id);
    });
    node.outputs.forEach((id, slot) => {
      const kind = rule.outputs[Math.min(slot, rule.outputs.length - 1)].kind;
      if (kind === 'same-as-input') derived.add(id);
      else if (kind === 'activation') watch(id);
    });
  }
  for (const output of graph.outputs) watch(output);
  return [...watched];
}

/** An activation that is contracted with constant weights, and which of its axes is contracted. */
export interface WeightedInput {
  readonly value: ValueId;
  readonly channelAxis: number;
}

/** Activations that feed weight slots, once each: their channel means serve bias correction. */
export function weightedInputs(graph: Graph): WeightedInput[] {
  const found = new Map<ValueId, WeightedInput>();
  for (const node of graph.nodes) {
    const rule = integerRule(node);
    const [x, weights] = node.inputs;
    if (!rule || !x || !weights || slotRule(rule, 1).kind !== 'weight' || found.has(x)) continue;
    const value = valueOf(graph, x);
    if (!isFloatActivation(value) || !valueOf(graph, weights).constant) continue;
    const channelAxis = node.attrs.layout === 'NCHW' ? 1 : value.type.shape.length - 1;
    found.set(x, { value: x, channelAxis });
  }
  return [...found.values()];
}
