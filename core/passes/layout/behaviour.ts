/** How each operator takes part in the layout plan: the rules of its definition, made concrete for one node. */
import { type Graph, type Node, type ValueId, valueNamed } from '../../ir/graph.ts';
import { elementCount, toNumbers } from '../../ir/tensor.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Layout } from '../../ops/vocabulary.ts';
import {
  droppedOrder,
  inversePerm,
  isIdentityPerm,
  type Order,
  reshapedOrder,
  transposedOrder,
} from './order.ts';

export type Behaviour =
  /** Inputs and outputs in their own order. */
  | { kind: 'pinned'; why: string }
  /** x and y have a channel axis; both lie as the target wants it. */
  | { kind: 'spatial'; layout: Layout }
  /** These inputs and all outputs lie in one order, as far as `accepts` allows it. */
  | {
      kind: 'tied';
      operands: readonly ValueId[];
      /** Positions of inputs whose constants follow that order as well. */
      constants: readonly number[];
      accepts(order: Order): boolean;
    }
  /** One input and one output, whose orders follow from each other. */
  | { kind: 'mapped'; forward(order: Order): Order | undefined; backward?(order: Order): Order | undefined }
  /** Contracts the last axis with constant weights, which can be permuted with it. */
  | { kind: 'dense' };

function isStatic(graph: Graph, id: ValueId): boolean {
  return valueNamed(graph, id).type.shape.every((dim) => typeof dim === 'number');
}

function shapeOf(graph: Graph, id: ValueId): number[] {
  return valueNamed(graph, id).type.shape as number[];
}

function pinned(why: string): Behaviour {
  return { kind: 'pinned', why };
}

function constantNumbers(graph: Graph, id: ValueId | null | undefined): number[] | undefined {
  const constant = id === null || id === undefined ? undefined : valueNamed(graph, id).constant;
  return constant ? toNumbers(constant) : undefined;
}

/** The operands that are computed and have more than one element, when all are of the output's rank. */
function elementwise(graph: Graph, node: Node): Behaviour {
  const output = shapeOf(graph, node.outputs[0]);
  const operands: ValueId[] = [];
  for (const id of node.inputs) {
    if (id === null || valueNamed(graph, id).constant) continue;
    const shape = shapeOf(graph, id);
    if (elementCount(shape) === 1) continue;
    if (shape.length !== output.length) return pinned('it broadcasts a computed operand of lower rank');
    operands.push(id);
  }
  return { kind: 'tied', operands, constants: node.inputs.map((_, i) => i), accepts: () => true };
}

/** Axes named by an attribute or a constant input, counted from the front; undefined when they are computed. */
function namedAxes(graph: Graph, node: Node): number[] | undefined {
  const rank = shapeOf(graph, node.inputs[0]!).length;
  const positive = (axis: number) => (axis < 0 ? axis + rank : axis);
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (node.op.startsWith('Reduce')) {
    if (node.inputs[1] === null || node.inputs[1] === undefined) return all;
    return constantNumbers(graph, node.inputs[1])?.map(positive);
  }
  if (node.op === 'Slice') {
    const inputs = node.inputs.slice(1);
    if (!inputs.every((id) => id === null || constantNumbers(graph, id))) return undefined;
    const axes = node.inputs[3];
    return axes
      ? constantNumbers(graph, axes)!.map(positive)
      : all.slice(0, constantNumbers(graph, inputs[0])!.length);
  }
  if (node.op === 'Pad' || node.op === 'Tile' || node.op === 'Resize') {
    return constantNumbers(graph, node.inputs[1]) ? all : undefined;
  }
  if (node.op === 'Split' && node.inputs[1] && !constantNumbers(graph, node.inputs[1])) return undefined;
  return typeof node.attrs.axis === 'number' ? [positive(node.attrs.axis)] : undefined;
}

/** Axes whose size a Resize changes. */
function resizedAxes(graph: Graph, node: Node): number[] {
  const from = shapeOf(graph, node.inputs[0]!);
  const to = shapeOf(graph, node.outputs[0]);
  return from.map((_, axis) => axis).filter((axis) => from[axis] !== to[axis]);
}

/** A Resize scales space: where it changes the last axis the channels are first, where axis 1, they are last. */
function resize(graph: Graph, node: Node): Behaviour {
  const rank = shapeOf(graph, node.inputs[0]!).length;
  const axes = resizedAxes(graph, node);
  const first = axes.includes(rank - 1);
  const last = axes.includes(1);
  if (first !== last) return { kind: 'spatial', layout: first ? 'NCHW' : 'NHWC' };
  return axes.includes(0) || first ? pinned('it resizes more than space') : tied(graph, node, axes);
}

/** Inputs that hold data, as against axes, shapes and parameters. */
function dataInputs(node: Node): ValueId[] {
  const inputs = node.op === 'Concat' ? node.inputs : node.inputs.slice(0, 1);
  return inputs.filter((id) => id !== null);
}

function tied(graph: Graph, node: Node, axes: readonly number[]): Behaviour {
  const operands = dataInputs(node).filter((id) => !valueNamed(graph, id).constant);
  return {
    kind: 'tied',
    operands,
    constants: node.op === 'Concat' ? node.inputs.map((_, i) => i) : [],
    accepts: (order) => !order.inner || !axes.includes(order.inner.axis),
  };
}

function withAxes(graph: Graph, node: Node): Behaviour {
  const axes = namedAxes(graph, node);
  if (!axes) return pinned('its axes are computed while the model runs');
  if (node.attrs.keepDims === false) {
    const scalarRank = shapeOf(graph, node.outputs[0]).length;
    const rank = shapeOf(graph, node.inputs[0]!).length;
    return scalarRank === rank
      ? tied(graph, node, axes)
      : { kind: 'mapped', forward: (order) => droppedOrder(order, axes) };
  }
  return tied(graph, node, axes);
}

/** Normalizes the last axes: they must stay last and in order. */
function layerNormalization(graph: Graph, node: Node): Behaviour {
  const rank = shapeOf(graph, node.inputs[0]!).length;
  const axis = (node.attrs.axis as number) + ((node.attrs.axis as number) < 0 ? rank : 0);
  return {
    kind: 'tied',
    operands: [node.inputs[0]!],
    constants: [],
    accepts: (order) => !order.inner && order.perm.every((from, i) => i < axis || from === i),
  };
}

function border(graph: Graph, node: Node): Behaviour {
  const scale = valueNamed(graph, node.inputs[1]!).type.shape;
  const perAxis = scale.length === 1 && scale[0] !== 1;
  return perAxis ? withAxes(graph, node) : tied(graph, node, []);
}

/** Operators that give the same elements, in the same sequence, another shape, as far as orders allow it. */
export function isMover(node: Node): boolean {
  return node.op === 'Reshape' || node.op === 'Transpose';
}

/** @param lastAxis operators that the target runs along the last axis only. */
export function behaviourOf(graph: Graph, node: Node, lastAxis: ReadonlySet<string>): Behaviour {
  const definition = definitionOf(node.op);
  if (!definition) return pinned('its axes are not known to Whittle');
  if (![...node.inputs, ...node.outputs].every((id) => id === null || isStatic(graph, id))) {
    return pinned('it has open dimensions');
  }
  switch (node.op) {
    case 'FullyConnected':
      return { kind: 'dense' };
    case 'Reshape': {
      const from = shapeOf(graph, node.inputs[0]!);
      const to = shapeOf(graph, node.outputs[0]);
      return {
        kind: 'mapped',
        forward: (order) => reshapedOrder(from, order, to),
        backward: (order) => reshapedOrder(to, order, from),
      };
    }
    case 'Transpose': {
      const perm = node.attrs.perm as number[];
      return {
        kind: 'mapped',
        forward: (order) => transposedOrder(order, perm),
        backward: (order) => transposedOrder(order, inversePerm(perm)),
      };
    }
    case 'LayerNormalization':
      return layerNormalization(graph, node);
    case 'Resize':
      return namedAxes(graph, node)
        ? resize(graph, node)
        : pinned('its sizes are computed while the model runs');
    case 'QuantizeLinear':
    case 'DequantizeLinear':
      return border(graph, node);
    case 'Gather':
    case 'Squeeze':
    case 'Unsqueeze':
      return pinned('it changes the rank');
  }
  if (definition.layout.kind === 'elementwise') return elementwise(graph, node);
  if (definition.layout.kind === 'spatial') return { kind: 'spatial', layout: node.attrs.layout as Layout };
  if (definition.layout.kind === 'fixed') return pinned('it reads elements in the order of the source');
  const behaviour = withAxes(graph, node);
  if (behaviour.kind !== 'tied' || !lastAxis.has(node.op)) return behaviour;
  const [axis] = namedAxes(graph, node)!;
  return {
    ...behaviour,
    accepts: ({ perm, inner }) => perm[perm.length - 1] === axis && inner?.axis !== axis,
  };
}

/** Whether a dense layer can take its input in this order: only features may be permuted. */
export function denseAccepts(order: Order): boolean {
  return isIdentityPerm(order.perm) && (!order.inner || order.inner.axis === order.perm.length - 1);
}
