import { type Graph, type Node, type ValueId, valueNamed } from '../../ir/graph.ts';
import { MinCut } from '../../kernels/min-cut.ts';
import { assignOrders, type OrderPair, operandOrder, spatialPair } from './assign-orders.ts';
import { type Behaviour, behaviourOf, denseAccepts, isMover } from './behaviour.ts';
import {
  channelsLastPerm,
  conversionCost,
  conversionSteps,
  isSourceOrder,
  type Order,
  sameOrder,
  sourceOrder,
} from './order.ts';

export interface LayoutTarget {
  /** Order that spatial operators are written in. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Turn image inputs, and outputs that are feature maps, to channels last. */
  readonly channelsLastBorders: boolean;
  /** Operators that the target runs along the last axis only. */
  readonly lastAxisOnly: ReadonlySet<string>;
}

/** Where every value lies, and how every node wants its operands. */
export interface LayoutPlan {
  readonly behaviours: ReadonlyMap<Node, Behaviour>;
  /** Order in which a value is made. */
  readonly made: ReadonlyMap<ValueId, Order>;
  /** Order in which a node reads an operand; a dense layer takes what `denseAccepts`. */
  readonly wanted: (node: Node, id: ValueId) => Order;
  /** Order in which the graph gives an output. */
  readonly outputs: ReadonlyMap<ValueId, Order>;
}

type Label = 0 | 1;

/** One side of a value: a variable, and the order that it means under each label. */
interface Port {
  readonly variable: number;
  readonly orders: OrderPair;
}

const source = 0;
const sink = 1;
const infinite = Number.POSITIVE_INFINITY;

/** Builds the cut: label 0 (channels first) is the source's side, label 1 (channels last) the sink's. */
class Planner {
  private readonly edges: [from: number, to: number, capacity: number][] = [];
  private variables = 2;

  variable(): number {
    return this.variables++;
  }

  /** Forbids a label. */
  forbid(variable: number, label: Label): void {
    if (label === 0) this.edges.push([variable, sink, infinite]);
    else this.edges.push([source, variable, infinite]);
  }

  /** A value made by `maker` and read by `readers`: one conversion per order that is read and not made. */
  value(shape: readonly number[], pair: OrderPair, maker: Port, readers: readonly Port[]): void {
    const cost = conversionCost(shape, pair[0], pair[1]);
    const from = this.asLabel(maker, pair);
    const shared: number[] = [];
    for (const reader of readers) {
      const to = this.asLabel(reader, pair);
      if (from !== undefined && to !== undefined) shared.push(to);
      else this.table(shape, maker, reader);
    }
    if (from === undefined || shared.length === 0 || cost === 0) return;
    if (shared.length === 1) {
      this.edges.push([from, shared[0], cost], [shared[0], from, cost]);
      return;
    }
    const first = this.variable();
    const last = this.variable();
    this.edges.push([from, first, cost], [last, from, cost]);
    for (const to of shared) this.edges.push([first, to, infinite], [to, last, infinite]);
  }

  /** A cost that depends on one variable. */
  unary(variable: number, costs: readonly [number, number]): void {
    const extra = costs[1] - costs[0];
    if (extra > 0) this.edges.push([source, variable, extra]);
    else this.edges.push([variable, sink, -extra]);
  }

  solve(): (variable: number) => Label {
    const cut = new MinCut(this.variables);
    for (const [from, to, capacity] of this.edges) cut.edge(from, to, capacity);
    const side = cut.solve(source, sink);
    return (variable) => (side[variable] ? 0 : 1);
  }

  /** The variable whose label says which order of `pair` a port has: its own, or a terminal when it is settled. */
  private asLabel(port: Port, pair: OrderPair): number | undefined {
    if (sameOrder(port.orders[0], pair[0]) && sameOrder(port.orders[1], pair[1])) return port.variable;
    if (!sameOrder(port.orders[0], port.orders[1])) return undefined;
    if (sameOrder(port.orders[0], pair[0])) return source;
    return sameOrder(port.orders[0], pair[1]) ? sink : undefined;
  }

  /**
   * Ports that mean different pairs of orders: the four costs as single ones and a pairwise one (Kolmogorov and Zabih
   * 2004, section 4). Where the table is not submodular the pairwise part is left out: the plan is then still right,
   * only perhaps not the cheapest.
   */
  private table(shape: readonly number[], maker: Port, reader: Port): void {
    const cost = (a: Label, b: Label) => conversionCost(shape, maker.orders[a], reader.orders[b]);
    this.unary(maker.variable, [0, cost(1, 0) - cost(0, 0)]);
    this.unary(reader.variable, [0, cost(1, 1) - cost(1, 0)]);
    const pairwise = cost(0, 1) + cost(1, 0) - cost(0, 0) - cost(1, 1);
    if (pairwise > 0) this.edges.push([maker.variable, reader.variable, pairwise]);
  }
}

/** A node's variable with the orders of what it makes and reads under each label. */
interface NodePorts {
  readonly variable: number;
  readonly made: (output: ValueId) => OrderPair;
  readonly wanted: (input: ValueId) => OrderPair;
}

function always(order: Order): OrderPair {
  return [order, order];
}

/**
 * Decides for the whole graph where channels lie, so that as few elements as possible are moved by transposes.
 * Spatial operators want the target's order, elementwise ones the same for all operands, and so on (`Behaviour`); a
 * value that is read in another order than it is made in costs a transpose, once however often it is read. That is a
 * minimum cut, which is solved exactly.
 */
export function planLayout(graph: Graph, target: LayoutTarget): LayoutPlan {
  const behaviours = new Map<Node, Behaviour>(
    graph.nodes.map((node) => [node, behaviourOf(graph, node, target.lastAxisOnly)] as const),
  );
  const pairs = assignOrders(graph, behaviours);
  const rankOf = (id: ValueId) => valueNamed(graph, id).type.shape.length;
  const pairOf = (id: ValueId): OrderPair => pairs.get(id) ?? always(sourceOrder(rankOf(id)));
  const planner = new Planner();
  const want: Label = target.layout === 'NCHW' ? 0 : 1;
  const ports = new Map<Node, NodePorts>();
  for (const [node, behaviour] of behaviours) {
    const found = portsOf(graph, node, behaviour, planner, pairOf, want);
    if (!found) behaviours.set(node, { kind: 'pinned', why: 'no planned order of its operands fits it' });
    ports.set(node, found ?? pinnedPorts(graph));
  }

  const borderOrder = (id: ValueId, ranks: readonly number[]): Order => {
    const rank = rankOf(id);
    const last = pairOf(id)[1];
    const usual = ranks.includes(rank) && String(last.perm) === String(channelsLastPerm(rank)) && !last.inner;
    return target.channelsLastBorders && usual ? last : sourceOrder(rank);
  };
  const inputOrders = new Map(graph.inputs.map((id) => [id, borderOrder(id, [3, 4, 5])] as const));
  const outputOrders = new Map(
    graph.outputs.map((id) => [id, inputOrders.get(id) ?? borderOrder(id, [4])] as const),
  );

  const makers = new Map<ValueId, Port>();
  const readers = new Map<ValueId, Port[]>();
  for (const [id, order] of inputOrders) makers.set(id, { variable: source, orders: always(order) });
  for (const [id, order] of outputOrders) readers.set(id, [{ variable: source, orders: always(order) }]);
  for (const node of graph.nodes) {
    const { variable, made, wanted } = ports.get(node)!;
    for (const id of node.outputs) makers.set(id, { variable, orders: made(id) });
    for (const id of new Set(node.inputs)) {
      if (id === null || valueNamed(graph, id).constant) continue;
      if (behaviours.get(node)!.kind === 'dense' && id === node.inputs[0]) continue;
      const list = readers.get(id) ?? [];
      list.push({ variable, orders: wanted(id) });
      readers.set(id, list);
    }
  }
  for (const [id, maker] of makers) {
    const shape = valueNamed(graph, id).type.shape as number[];
    if (shape.some((dim) => typeof dim !== 'number')) continue;
    planner.value(shape, pairOf(id), maker, readers.get(id) ?? []);
  }
  for (const [node, behaviour] of behaviours) {
    const x = node.inputs[0];
    const maker = x && makers.get(x);
    if (behaviour.kind !== 'dense' || !maker) continue;
    planner.unary(
      maker.variable,
      [0, 1].map((label) => denseCost(graph, x, maker.orders[label])) as [number, number],
    );
  }
  const labelOf = planner.solve();
  const made = new Map<ValueId, Order>();
  for (const [id, { variable, orders }] of makers) made.set(id, orders[labelOf(variable)]);
  const wanted = (node: Node, id: ValueId) => {
    const { variable, wanted: orders } = ports.get(node)!;
    const order = made.get(id);
    if (behaviours.get(node)!.kind === 'dense' && order && denseAccepts(order)) return order;
    return orders(id)[labelOf(variable)];
  };
  return { behaviours, made, wanted, outputs: outputOrders };
}

function denseCost(graph: Graph, id: ValueId, order: Order): number {
  if (denseAccepts(order)) return 0;
  const shape = valueNamed(graph, id).type.shape as number[];
  return conversionCost(shape, order, sourceOrder(shape.length));
}

function pinnedPorts(graph: Graph): NodePorts {
  const own = (id: ValueId) => always(sourceOrder(valueNamed(graph, id).type.shape.length));
  return { variable: source, made: own, wanted: own };
}

/** @returns undefined when none of the orders of its operands fits the node. */
function portsOf(
  graph: Graph,
  node: Node,
  behaviour: Behaviour,
  planner: Planner,
  pairOf: (id: ValueId) => OrderPair,
  want: Label,
): NodePorts | undefined {
  const fixed = pinnedPorts(graph);
  switch (behaviour.kind) {
    case 'pinned':
      return fixed;
    case 'spatial': {
      const order = (id: ValueId) =>
        always(spatialPair(behaviour.layout, valueNamed(graph, id).type.shape.length)[want]);
      return {
        ...fixed,
        made: order,
        wanted: (id) => (id === node.inputs[0] ? order(id) : fixed.wanted(id)),
      };
    }
    case 'dense':
      return {
        ...fixed,
        variable: planner.variable(),
        made: (id) => (pairOf(id).every(denseAccepts) ? pairOf(id) : fixed.made(id)),
      };
    case 'tied':
      return tiedPorts(graph, node, behaviour, planner, pairOf);
    case 'mapped':
      return mappedPorts(graph, node, behaviour, planner, pairOf);
  }
}

function tiedPorts(
  graph: Graph,
  node: Node,
  behaviour: Extract<Behaviour, { kind: 'tied' }>,
  planner: Planner,
  pairOf: (id: ValueId) => OrderPair,
): NodePorts | undefined {
  const pair = pairOf(node.outputs[0]);
  const accepted = pair.map(behaviour.accepts);
  if (!accepted[0] && !accepted[1]) return undefined;
  const variable = planner.variable();
  for (const label of [0, 1] as const) if (!accepted[label]) planner.forbid(variable, label);
  const orders = (id: ValueId): OrderPair => {
    const shape = valueNamed(graph, id).type.shape as number[];
    if (shape.length !== pair[0].perm.length) return always(sourceOrder(shape.length));
    return [operandOrder(pair[0], shape), operandOrder(pair[1], shape)];
  };
  const operands = new Set(behaviour.operands);
  return {
    variable,
    made: orders,
    wanted: (id) =>
      operands.has(id) ? orders(id) : always(sourceOrder(valueNamed(graph, id).type.shape.length)),
  };
}

/** A reshape or transpose can give any shape to elements that lie as they should. */
function asPlanned(graph: Graph, node: Node, made: Order, planned: Order): Order {
  if (!isMover(node)) return made;
  const shape = valueNamed(graph, node.outputs[0]).type.shape as number[];
  return conversionSteps(shape, made, planned).some((step) => step.op === 'Transpose') ? made : planned;
}

function mappedPorts(
  graph: Graph,
  node: Node,
  behaviour: Extract<Behaviour, { kind: 'mapped' }>,
  planner: Planner,
  pairOf: (id: ValueId) => OrderPair,
): NodePorts | undefined {
  const pair = pairOf(node.inputs[0]!);
  const results = pair.map(behaviour.forward);
  if (!results[0] && !results[1]) return undefined;
  const variable = planner.variable();
  for (const label of [0, 1] as const) if (!results[label]) planner.forbid(variable, label);
  const planned = pairOf(node.outputs[0]);
  const made: OrderPair = [
    asPlanned(graph, node, results[0] ?? results[1]!, planned[0]),
    asPlanned(graph, node, results[1] ?? results[0]!, planned[1]),
  ];
  return { variable, made: () => made, wanted: () => pair };
}

/** Whether anything lies in another order than the source's. */
export function changesOrders(plan: LayoutPlan): boolean {
  return [...plan.made.values(), ...plan.outputs.values()].some((order) => !isSourceOrder(order));
}
