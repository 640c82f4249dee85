import { consumersOf, type Graph, type Node, producersOf, type ValueId, valueNamed } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';
import { integerRule, slotRule } from './integer-rules.ts';

/**
 * Operators for which `f(a · x) = a · f(x)` for every channel and `a > 0`, all operands scaled alike: a factor per
 * channel passes through them.
 */
const homogeneous: ReadonlySet<string> = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Add',
  'Sub',
  'MaxPool',
  'AveragePool',
  'ReduceMean',
  'ReduceMax',
  'Reshape',
]);

/** A value seen from an operator with constant weights `[outputs, inputs ÷ group, …taps]`. */
export interface Port {
  readonly node: Node;
  readonly value: ValueId;
}

/**
 * Values that share one factor per channel, with the weighted operators that make them (whose output channels take the
 * factor back out) and those that read them (whose input channels put it in).
 */
export interface ChannelGroup {
  readonly values: readonly ValueId[];
  readonly channels: number;
  readonly makers: readonly Port[];
  readonly readers: readonly Port[];
}

/** Whether a node multiplies constant weights of `[outputs, inputs ÷ group, …taps]` that it alone uses. */
function isWeighted(graph: Graph, node: Node, uses: ReadonlyMap<ValueId, Node[]>): boolean {
  const rule = integerRule(node);
  const [x, weights, bias] = node.inputs;
  const slot = rule && slotRule(rule, 1);
  if (!x || !weights || slot?.kind !== 'weight' || slot.axis !== 0) return false;
  if (node.attrs.layout !== 'NCHW' && valueNamed(graph, x).type.shape.length !== 2) return false;
  const constants = [weights, bias].filter((id) => id !== null && id !== undefined);
  return constants.every((id) => {
    const value = valueNamed(graph, id);
    return value.constant?.dtype === 'float32' && uses.get(id)?.length === 1;
  });
}

function passesScale(node: Node): boolean {
  const activation = node.attrs.activation ?? 'none';
  return activation === 'none' || activation === 'relu';
}

/** Axis of the channels of a group's values: they are `[N, C]` or `[N, C, …space]`. */
export const groupChannelAxis = 1;

function channelsOf(graph: Graph, id: ValueId): number | undefined {
  const dim = valueNamed(graph, id).type.shape[groupChannelAxis];
  return typeof dim === 'number' ? dim : undefined;
}

/** Whether a homogeneous node keeps channels in their place, all operands being computed and of one shape. */
function keepsChannels(graph: Graph, node: Node): boolean {
  const operands = node.inputs.filter((id) => id !== null).map((id) => valueNamed(graph, id));
  const [first] = operands;
  const output = node.outputs[0];
  const channels = channelsOf(graph, first.id);
  if (channels === undefined || channels !== channelsOf(graph, output)) return false;
  switch (node.op) {
    case 'Add':
    case 'Sub':
      return operands.every(
        (value) => !value.constant && String(value.type.shape) === String(first.type.shape),
      );
    case 'Reshape': {
      // Only size-1 axes come and go: [1, C, 1, 1] ↔ [1, C].
      const long = (id: ValueId) => valueNamed(graph, id).type.shape.filter((dim) => dim !== 1);
      return String(long(first.id)) === String([channels]) && String(long(output)) === String([channels]);
    }
    case 'ReduceMean':
    case 'ReduceMax': {
      const rank = first.type.shape.length;
      const axes = operands[1]?.constant && toNumbers(operands[1].constant);
      return rank > 2 && !!axes && axes.every((axis) => (axis + rank) % rank >= 2);
    }
    default:
      return true;
  }
}

/**
 * Finds the groups of a graph with channels first. A group that something else makes or reads (the graph's ports, a
 * sigmoid, a concatenation) is left out, since a factor would change what that sees.
 */
export function channelGroups(graph: Graph): ChannelGroup[] {
  const uses = consumersOf(graph);
  const makers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const weighted = new Set(graph.nodes.filter((node) => isWeighted(graph, node, uses)));
  const passing = new Set(
    graph.nodes.filter((node) => homogeneous.has(node.op) && passesScale(node) && keepsChannels(graph, node)),
  );
  const seen = new Set<ValueId>();
  const groups: ChannelGroup[] = [];
  for (const node of graph.nodes) {
    if (!weighted.has(node) || seen.has(node.outputs[0])) continue;
    const found = gather(node.outputs[0]);
    for (const id of found.values) seen.add(id);
    if (found.closed && found.makers.length > 0 && found.readers.length > 0) groups.push(found);
  }
  return groups;

  /** All values reachable from one through operators that pass factors on. */
  function gather(start: ValueId): ChannelGroup & { closed: boolean } {
    const values = new Set<ValueId>();
    const made: Port[] = [];
    const read: Port[] = [];
    const channels = channelsOf(graph, start) ?? 0;
    let closed = channels > 0;
    const queue = [start];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      if (values.has(id)) continue;
      values.add(id);
      const maker = makers.get(id);
      if (maker && weighted.has(maker) && passesScale(maker)) made.push({ node: maker, value: id });
      else if (maker && passing.has(maker)) queue.push(...computedOperands(maker));
      else closed = false;
      if (outputs.has(id) || channelsOf(graph, id) !== channels) closed = false;
      for (const reader of uses.get(id) ?? []) {
        if (weighted.has(reader) && reader.inputs.indexOf(id) === 0) read.push({ node: reader, value: id });
        else if (passing.has(reader) && reader.inputs.includes(id)) queue.push(reader.outputs[0]);
        else closed = false;
      }
    }
    return { values: [...values], channels, makers: made, readers: read, closed };
  }

  function computedOperands(node: Node): ValueId[] {
    return node.inputs.filter((id): id is ValueId => id !== null && !valueNamed(graph, id).constant);
  }
}
