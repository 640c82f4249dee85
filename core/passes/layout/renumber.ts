import { type Attrs, type Graph, type Node, type ValueId, valueNamed } from '../../ir/graph.ts';
import { int64Tensor, toNumbers } from '../../ir/tensor.ts';
import { inversePerm, type Order, physicalShape } from './order.ts';

/** Constants that take the place of a node's inputs, by position, and its new attributes. */
export interface Renumbered {
  readonly attrs: Attrs;
  readonly constants: ReadonlyMap<number, readonly number[]>;
}

/** Inputs with one entry per axis of x. */
const perAxisInput: Readonly<Record<string, number>> = { Pad: 1, Tile: 1, Resize: 1 };

function numbers(graph: Graph, id: ValueId): number[] {
  return toNumbers(valueNamed(graph, id).constant!);
}

/** Axes given by a constant input or, left out, by their count. */
function axesInput(graph: Graph, node: Node, rank: number): { index: number; axes: number[] } | undefined {
  const positive = (axis: number) => (axis < 0 ? axis + rank : axis);
  if (node.op.startsWith('Reduce')) {
    const id = node.inputs[1];
    return id ? { index: 1, axes: numbers(graph, id).map(positive) } : undefined;
  }
  if (node.op !== 'Slice') return undefined;
  const id = node.inputs[3];
  const count = numbers(graph, node.inputs[1]!).length;
  return {
    index: 3,
    axes: id ? numbers(graph, id).map(positive) : Array.from({ length: count }, (_, i) => i),
  };
}

/** Attributes and axis inputs of a node whose data input lies in `order` instead of the source's. */
export function renumber(graph: Graph, node: Node, order: Order): Renumbered {
  const { perm } = order;
  const rank = perm.length;
  const constants = new Map<number, readonly number[]>();
  if (perm.every((axis, i) => axis === i)) return { attrs: node.attrs, constants };
  const position = inversePerm(perm);
  const attrs: Record<string, Attrs[string]> = { ...node.attrs };
  if (typeof attrs.axis === 'number') attrs.axis = position[attrs.axis < 0 ? attrs.axis + rank : attrs.axis];
  if (Array.isArray(attrs.scales)) attrs.scales = physicalShape(attrs.scales as number[], order);
  if (Array.isArray(attrs.roi)) {
    const roi = attrs.roi as number[];
    attrs.roi = [...physicalShape(roi.slice(0, rank), order), ...physicalShape(roi.slice(rank), order)];
  }
  const axes = axesInput(graph, node, rank);
  if (axes) {
    const moved = axes.axes.map((axis) => position[axis]);
    constants.set(axes.index, node.op === 'Slice' ? moved : moved.sort((a, b) => a - b));
  }
  const index = perAxisInput[node.op];
  if (index !== undefined) {
    const values = numbers(graph, node.inputs[index]!);
    const begins = physicalShape(values.slice(0, rank), order);
    constants.set(
      index,
      values.length === rank ? begins : [...begins, ...physicalShape(values.slice(rank), order)],
    );
  }
  return { attrs, constants };
}

/** The tensor for a renumbered input. */
export function axisTensor(values: readonly number[]) {
  return int64Tensor([values.length], values);
}
