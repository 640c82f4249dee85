import { consumersOf, type Graph, type Node, producersOf, type ValueId, valueNamed } from '../ir/graph.ts';
import { channelAxis, type Lane, lanesAround } from './channel-lanes.ts';
import { integerRule, slotRule } from './integer-rules.ts';

/** A value seen from an operator with constant weights `[outputs, inputs ÷ group, …taps]`, or from a normalization. */
export interface Port {
  readonly node: Node;
  readonly value: ValueId;
}

/**
 * Values that share one factor per channel, with the operators that make them (whose output channels take the factor
 * back out) and those that read them (whose input channels put it in). A concatenated value has the channels of all its
 * parts.
 */
export interface ChannelGroup {
  /** Where each value's channels lie, and which of the group's they are. */
  readonly values: ReadonlyMap<ValueId, Lane>;
  /** Those of them that ReLU6 bounds: a factor moves the bound along. */
  readonly bounded: ReadonlySet<ValueId>;
  readonly channels: number;
  readonly makers: readonly Port[];
  readonly readers: readonly Port[];
}

/**
 * Finds the groups of a graph with channels first. A group that something else makes or reads (the graph's ports, a
 * sigmoid) is left out, since a factor would change what that sees.
 */
export function channelGroups(graph: Graph): ChannelGroup[] {
  const uses = consumersOf(graph);
  const makers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const isMade = (id: ValueId | null) => id !== null && valueNamed(graph, id).constant === undefined;
  const weighted = new Set(graph.nodes.filter((node) => isWeighted(graph, node, uses)));
  const affine = new Set(graph.nodes.filter((node) => isAffine(graph, node, uses)));
  const passesScale = ({ attrs: { activation = 'none' } }: Node) =>
    activation === 'none' || activation === 'relu' || activation === 'relu6';
  const seen = new Set<ValueId>();
  const groups: ChannelGroup[] = [];
  for (const node of graph.nodes) {
    if (!(weighted.has(node) || affine.has(node)) || seen.has(node.outputs[0])) continue;
    const found = gather(node);
    for (const id of found.values.keys()) seen.add(id);
    if (found.closed && found.readers.length > 0) groups.push(found);
  }
  return groups;

  /** All values reachable from what a node makes through operators that pass factors on. */
  function gather(start: Node): ChannelGroup & { closed: boolean } {
    const values = new Map<ValueId, Lane>();
    const made: Port[] = [];
    const read: Port[] = [];
    let closed = true;
    const queue: [ValueId, Lane][] = [
      [start.outputs[0], { axis: channelAxis(graph, start, start.outputs[0]), first: 0, count: 0 }],
    ];
    const follow = (node: Node, id: ValueId, lane: Lane) => {
      const around = passesScale(node) ? lanesAround(graph, node, id, lane) : undefined;
      if (around) queue.push(...around);
      else closed = false;
    };
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const [id, { axis, first }] = next;
      const count = valueNamed(graph, id).type.shape[axis];
      const known = values.get(id);
      if (known || typeof count !== 'number' || outputs.has(id) || !isMade(id)) {
        if (!known || known.axis !== axis || known.first !== first) closed = false;
        continue;
      }
      const lane = { axis, first, count };
      values.set(id, lane);
      const maker = makers.get(id);
      const isOwn = maker && (weighted.has(maker) || affine.has(maker));
      if (isOwn && passesScale(maker) && channelAxis(graph, maker, id) === axis)
        made.push({ node: maker, value: id });
      else if (maker && !isOwn) follow(maker, id, lane);
      else closed = false;
      for (const reader of uses.get(id) ?? []) {
        const isFirst = reader.inputs.indexOf(id) === 0 && reader.inputs.lastIndexOf(id) === 0;
        if (!weighted.has(reader)) follow(reader, id, lane);
        else if (isFirst && channelAxis(graph, reader, id) === axis) read.push({ node: reader, value: id });
        else closed = false;
      }
    }
    const bounded = new Set([...values.keys()].filter((id) => makers.get(id)?.attrs.activation === 'relu6'));
    return { ...counted(values), bounded, makers: made, readers: read, closed };
  }
}

/** Counts channels from the first one: what the search came from may be a later part of a concatenation. */
function counted(values: ReadonlyMap<ValueId, Lane>): Pick<ChannelGroup, 'values' | 'channels'> {
  let [first, end] = [Number.POSITIVE_INFINITY, 0];
  for (const lane of values.values()) {
    first = Math.min(first, lane.first);
    end = Math.max(end, lane.first + lane.count);
  }
  const moved = [...values].map(([id, lane]) => [id, { ...lane, first: lane.first - first }] as const);
  return { values: new Map(moved), channels: end - first };
}

/** Whether a node multiplies constant weights of `[outputs, inputs ÷ group, …taps]` that it alone uses. */
function isWeighted(graph: Graph, node: Node, uses: ReadonlyMap<ValueId, Node[]>): boolean {
  const rule = integerRule(node);
  const [x, weights, bias] = node.inputs;
  const slot = rule && slotRule(rule, 1);
  if (!x || !weights || slot?.kind !== 'weight' || slot.axis !== 0 || node.attrs.layout === 'NHWC')
    return false;
  const shape = valueNamed(graph, weights).constant?.shape;
  const group = typeof node.attrs.group === 'number' ? node.attrs.group : 1;
  const channels = valueNamed(graph, x).type.shape[channelAxis(graph, node, x)];
  return shape !== undefined && shape[1] * group === channels && ownsConstants(graph, [weights, bias], uses);
}

/** Whether a node normalizes and then multiplies and shifts each channel by constants that it alone uses. */
function isAffine(graph: Graph, node: Node, uses: ReadonlyMap<ValueId, Node[]>): boolean {
  if (node.op !== 'LayerNormalization') return false;
  const [x, gamma, beta] = node.inputs;
  const isLast = !!x && Number(node.attrs.axis) === valueNamed(graph, x).type.shape.length - 1;
  return isLast && !!gamma && ownsConstants(graph, [gamma, beta], uses);
}

function ownsConstants(
  graph: Graph,
  ids: readonly (ValueId | null | undefined)[],
  uses: ReadonlyMap<ValueId, Node[]>,
): boolean {
  return ids.every((id) => {
    if (id === null || id === undefined) return true;
    return valueNamed(graph, id).constant?.dtype === 'float32' && uses.get(id)?.length === 1;
  });
}
