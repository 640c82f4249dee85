import { consumersOf, type Graph, type Node, producersOf, type ValueId, valueNamed } from '../../ir/graph.ts';
import type { Layout } from '../../ops/vocabulary.ts';
import { type Behaviour, denseAccepts } from './behaviour.ts';
import { channelsFirstPerm, channelsLastPerm, type Order, sourceOrder } from './order.ts';

/** The two orders that a value may lie in: with channels first, with channels last. */
export type OrderPair = readonly [first: Order, last: Order];

/** The pair of a value whose channels are where `layout` says. */
export function spatialPair(layout: Layout, rank: number): OrderPair {
  return layout === 'NCHW'
    ? [sourceOrder(rank), { perm: channelsLastPerm(rank) }]
    : [{ perm: channelsFirstPerm(rank) }, sourceOrder(rank)];
}

function mappedPair(pair: OrderPair, map: (order: Order) => Order | undefined): OrderPair | undefined {
  const first = map(pair[0]);
  const last = map(pair[1]);
  // One of the two is enough to carry on with: the other label is then refused where it does not fit.
  if (!first && !last) return undefined;
  return [first ?? last!, last ?? first!];
}

/** An operand that is broadcast along the permuted axis has nothing to permute there. */
export function operandOrder(order: Order, shape: readonly number[]): Order {
  return order.inner && shape[order.inner.axis] === 1 ? { perm: order.perm } : order;
}

/**
 * Gives each value that is tied to a spatial operator its two orders: spread from convolutions and pools through
 * everything whose operands keep their axes, through transposes and through reshapes that axes can be followed
 * through. Values that are not reached keep the source's order.
 */
export function assignOrders(
  graph: Graph,
  behaviours: ReadonlyMap<Node, Behaviour>,
): Map<ValueId, OrderPair> {
  const pairs = new Map<ValueId, OrderPair>();
  const waiting: ValueId[] = [];
  const assign = (id: ValueId, pair: OrderPair | undefined) => {
    if (!pair || pairs.has(id) || valueNamed(graph, id).constant) return;
    pairs.set(id, pair);
    waiting.push(id);
  };
  for (const [node, behaviour] of behaviours) {
    if (behaviour.kind !== 'spatial') continue;
    for (const id of [node.inputs[0]!, ...node.outputs]) {
      assign(id, spatialPair(behaviour.layout, valueNamed(graph, id).type.shape.length));
    }
  }
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    const pair = pairs.get(id)!;
    const producer = producers.get(id);
    const around = [...(consumers.get(id) ?? []), ...(producer ? [producer] : [])];
    for (const node of around) spread(graph, node, behaviours.get(node)!, id, pair, assign);
  }
  return pairs;
}

function spread(
  graph: Graph,
  node: Node,
  behaviour: Behaviour,
  id: ValueId,
  pair: OrderPair,
  assign: (id: ValueId, pair: OrderPair | undefined) => void,
): void {
  if (behaviour.kind === 'tied') {
    if (!behaviour.accepts(pair[0]) && !behaviour.accepts(pair[1])) return;
    for (const other of [...behaviour.operands, ...node.outputs]) {
      const shape = valueNamed(graph, other).type.shape as number[];
      if (shape.length === pair[0].perm.length) {
        assign(other, [operandOrder(pair[0], shape), operandOrder(pair[1], shape)]);
      }
    }
  } else if (behaviour.kind === 'mapped') {
    if (id === node.inputs[0]) assign(node.outputs[0], mappedPair(pair, behaviour.forward));
    else if (behaviour.backward) assign(node.inputs[0]!, mappedPair(pair, behaviour.backward));
  } else if (behaviour.kind === 'dense' && id === node.outputs[0] && pair.every(denseAccepts)) {
    // Made in either order by permuting the weights' rows; its input has an order of its own.
    assign(id, pair);
  }
}
