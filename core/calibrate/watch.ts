import { type Graph, type Node, type Value, type ValueId, valueNamed } from '../ir/graph.ts';
import { channelGroups } from './channel-groups.ts';
import { integerRule, slotRule } from './integer-rules.ts';

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
    if (isFloatActivation(valueNamed(graph, id)) && !derived.has(id)) watched.add(id);
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

/**
 * Channel axis by name of the values that weighted operators read or make or that are scaled with such a value, in a graph with channels first: statistics
 * per channel serve bias correction and equalization.
 */
export function channelAxes(graph: Graph): Map<ValueId, number> {
  const axes = new Map<ValueId, number>();
  for (const node of graph.nodes) {
    const rule = integerRule(node);
    const [x, weights] = node.inputs;
    if (
      !rule ||
      !x ||
      !weights ||
      slotRule(rule, 1).kind !== 'weight' ||
      !valueNamed(graph, weights).constant
    )
      continue;
    for (const id of [x, node.outputs[0]]) {
      const value = valueNamed(graph, id);
      const axis = node.attrs.layout === 'NCHW' ? 1 : value.type.shape.length - 1;
      if (isFloatActivation(value) && typeof value.type.shape[axis] === 'number') axes.set(id, axis);
    }
  }
  for (const { values } of channelGroups(graph)) {
    for (const [id, { axis }] of values) axes.set(id, axis);
  }
  return axes;
}

/** Values that end in a rectifier, as their operator or as its fused activation. */
export function neverNegative(graph: Graph): Set<ValueId> {
  const isRectified = (node: Node) =>
    node.op === 'Relu' || node.attrs.activation === 'relu' || node.attrs.activation === 'relu6';
  return new Set(graph.nodes.filter(isRectified).flatMap((node) => node.outputs));
}
