import { GraphBuilder } from '../../ir/builder.ts';
import {
  type Graph,
  type Node,
  producersOf,
  type QuantParams,
  type Value,
  type ValueId,
  valueNamed,
} from '../../ir/graph.ts';
import { isOpaque } from '../../ir/opaque.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { inferTypes } from '../../ops/registry.ts';
import { isMover } from './behaviour.ts';
import { orderedConstant, permuteInner } from './constants.ts';
import { conversionSteps, isSourceOrder, type Order, orderKey, physicalShape, sameOrder } from './order.ts';
import type { LayoutPlan, LayoutTarget } from './plan.ts';
import { axisTensor, renumber } from './renumber.ts';

/** Quantization parameters of a value in another axis order. */
function orderedQuant(quant: QuantParams | undefined, order: Order): QuantParams | undefined {
  if (quant?.axis === undefined) return quant;
  return { ...quant, axis: order.perm.indexOf(quant.axis) };
}

/** Writes a graph anew in the orders of a plan. */
class LayoutWriter {
  readonly notes: string[] = [];
  changes = 0;
  private readonly graph: Graph;
  private readonly plan: LayoutPlan;
  private readonly target: LayoutTarget;
  private readonly builder: GraphBuilder;
  /** What stands for a value, by name and order. */
  private readonly written = new Map<string, Value>();
  /** Names under which values are made when their own name belongs to a converted copy, or to a later value. */
  private readonly names = new Map<ValueId, ValueId>();
  private readonly orderConstants = new Map<string, Value>();

  constructor(graph: Graph, plan: LayoutPlan, target: LayoutTarget) {
    this.graph = graph;
    this.plan = plan;
    this.target = target;
    this.builder = new GraphBuilder(graph.name, inferTypes);
  }

  run(): Graph {
    this.nameOutputs();
    for (const id of this.graph.inputs) {
      const { type, quant } = this.value(id);
      const order = this.plan.made.get(id)!;
      if (!isSourceOrder(order)) this.changes++;
      const input = this.builder.input(
        id,
        { dtype: type.dtype, shape: physicalShape(type.shape, order) },
        orderedQuant(quant, order),
      );
      this.keep(id, order, input);
    }
    for (const node of this.graph.nodes) this.node(node);
    const outputs = this.graph.outputs.map((id) => this.output(id));
    return this.builder.finish(outputs, this.graph.source);
  }

  /** Makes room for names of outputs that are converted copies, and gives those of vanished operators to their source. */
  private nameOutputs(): void {
    const producers = producersOf(this.graph);
    const taken = new Set([...this.graph.outputs, ...this.graph.inputs]);
    for (const [id, order] of this.plan.outputs) {
      const made = this.plan.made.get(id);
      if (!made || this.graph.inputs.includes(id)) continue;
      if (!sameOrder(made, order)) {
        this.names.set(id, this.free(`${id}/inner`));
        continue;
      }
      let root = id;
      for (let maker = producers.get(root); maker && this.vanishes(maker); maker = producers.get(root)) {
        root = maker.inputs[0]!;
      }
      if (root === id || taken.has(root) || this.value(root).constant) continue;
      this.names.set(root, id);
      taken.add(root);
    }
  }

  /** A reshape or transpose whose result lies in memory as its input does, with the same physical shape. */
  private vanishes(node: Node): boolean {
    const x = node.inputs[0];
    const made = x && this.plan.made.get(x);
    if (!made || this.plan.behaviours.get(node)?.kind !== 'mapped' || !isMover(node)) return false;
    const from = physicalShape(this.value(x).type.shape, made);
    const y = node.outputs[0];
    const to = physicalShape(this.value(y).type.shape, this.plan.made.get(y)!);
    return sameOrder(this.plan.wanted(node, x), made) && sameShape(from, to);
  }

  private output(id: ValueId): ValueId {
    if (this.value(id).constant) return this.constantInput(id).id;
    const order = this.plan.outputs.get(id)!;
    const value = this.read(id, order, 'an output of the graph');
    if (value.id === id) return id;
    // Another value's operator makes it: the name is given by an operator that does nothing.
    return this.builder.one('Identity', [value], {}, { name: id, outputs: [id] }).id;
  }

  private node(node: Node): void {
    const behaviour = this.plan.behaviours.get(node)!;
    if (isOpaque(node.op)) {
      const types = node.outputs.map((id) => this.value(id).type);
      const outputs = this.builder.add(node.op, this.plainInputs(node), node.attrs, {
        name: node.id,
        outputs: node.outputs.map((id) => this.nameFor(id)),
        types,
      });
      for (const [i, id] of node.outputs.entries()) this.keep(id, this.plan.made.get(id)!, outputs[i]);
      return;
    }
    if (behaviour.kind === 'mapped' && isMover(node)) {
      this.reshape(node);
    } else if (behaviour.kind === 'dense') {
      this.dense(node);
    } else {
      this.plain(node);
    }
  }

  /** Reshapes and transposes between planned orders are reshapes in memory, or nothing. */
  private reshape(node: Node): void {
    const [x] = node.inputs as [ValueId];
    const [y] = node.outputs;
    const order = this.plan.made.get(y)!;
    const input = this.read(x, this.plan.wanted(node, x), node.id);
    const shape = physicalShape(this.value(y).type.shape as number[], order);
    if (sameShape(shape, input.type.shape)) {
      this.changes++;
      this.keep(y, order, input);
      return;
    }
    const unchanged =
      node.op === 'Reshape' &&
      isSourceOrder(order) &&
      !this.value(node.inputs[1]!).constant?.shape.includes(0);
    const target = unchanged ? this.constantInput(node.inputs[1]!) : this.shapeConstant(node.id, shape);
    if (!unchanged) this.changes++;
    const attrs = unchanged ? node.attrs : { allowZero: false };
    this.emit(node, 'Reshape', [input, target], attrs, order);
  }

  private dense(node: Node): void {
    const [x, weights, bias] = node.inputs as [ValueId, ValueId, ValueId | null | undefined];
    const inOrder = this.plan.wanted(node, x);
    const outOrder = this.plan.made.get(node.outputs[0])!;
    const input = this.read(x, inOrder, node.id);
    let matrix = this.constantInput(weights);
    let offsets = bias ? this.constantInput(bias) : null;
    if (inOrder.inner) {
      const { inner } = inOrder;
      matrix = this.movedConstant(matrix, `columns ${orderKey(inOrder)}`, (tensor) =>
        permuteInner(tensor, 1, inner),
      );
    }
    if (outOrder.inner) {
      const { inner } = outOrder;
      const rows = (tensor: Tensor) => permuteInner(tensor, 0, inner);
      matrix = this.movedConstant(matrix, `rows ${orderKey(outOrder)}`, rows);
      offsets = offsets && this.movedConstant(offsets, `rows ${orderKey(outOrder)}`, rows);
    }
    this.emit(node, node.op, [input, matrix, offsets], node.attrs, outOrder);
  }

  private plain(node: Node): void {
    const behaviour = this.plan.behaviours.get(node)!;
    const order = this.plan.made.get(node.outputs[0])!;
    const x = node.inputs[0];
    const data = x && !this.value(x).constant ? this.plan.wanted(node, x) : order;
    const { attrs, constants } = renumber(this.graph, node, data);
    const follows = behaviour.kind === 'tied' ? behaviour.constants : [];
    const inputs = node.inputs.map((id, index) => {
      const moved = constants.get(index);
      if (moved) return this.axes(`${node.id}/axes`, moved);
      if (id === null) return null;
      const { constant } = this.value(id);
      if (!constant) return this.read(id, this.plan.wanted(node, id), node.id);
      return follows.includes(index) ? this.orderedInput(id, order) : this.constantInput(id);
    });
    if (constants.has(3) && inputs.length < 4) inputs.push(this.axes(`${node.id}/axes`, constants.get(3)!));
    const spatial = behaviour.kind === 'spatial' && 'layout' in attrs;
    this.emit(node, node.op, inputs, spatial ? { ...attrs, layout: this.target.layout } : attrs, order);
    if (spatial && attrs.layout !== this.target.layout) this.changes++;
  }

  private emit(
    node: Node,
    op: string,
    inputs: readonly (Value | null)[],
    attrs: Node['attrs'],
    first: Order,
  ): void {
    const outputs = node.outputs.map((id) => this.nameFor(id));
    const values = this.builder.add(op, inputs, attrs, { name: node.id, outputs });
    for (const [i, id] of node.outputs.entries()) {
      const order = i === 0 ? first : this.plan.made.get(id)!;
      const { quant, type } = this.value(id);
      const ordered = orderedQuant(quant, order);
      const made = ordered
        ? this.builder.quantize(values[i].id, { ...values[i].type, dtype: type.dtype }, ordered)
        : values[i];
      this.keep(id, order, made);
    }
  }

  private plainInputs(node: Node): (Value | null)[] {
    return node.inputs.map((id) => {
      if (id === null) return null;
      return this.value(id).constant
        ? this.constantInput(id)
        : this.read(id, this.plan.wanted(node, id), node.id);
    });
  }

  /** A value in an order, converted where it is not made in it; each conversion is written once. */
  private read(id: ValueId, order: Order, reader: string): Value {
    if (this.value(id).constant) return this.orderedInput(id, order);
    const known = this.written.get(`${id}\n${orderKey(order)}`);
    if (known) return known;
    const made = this.plan.made.get(id)!;
    const shape = this.value(id).type.shape as number[];
    let value = this.written.get(`${id}\n${orderKey(made)}`)!;
    const steps = conversionSteps(shape, made, order);
    if (steps.some((step) => step.op === 'Transpose')) {
      this.notes.push(`${id} [${shape.join(', ')}] is transposed: ${reader} reads it in another axis order`);
    }
    for (const [i, step] of steps.entries()) {
      // The copy takes the value's own name where nothing else has it: the value itself vanished, or made room.
      const named = i === steps.length - 1 && !this.builder.has(id);
      const options = { name: `${id}/${step.op.toLowerCase()}`, outputs: named ? [id] : undefined };
      value =
        step.op === 'Transpose'
          ? this.builder.one('Transpose', [value], { perm: step.perm }, options)
          : this.builder.one(
              'Reshape',
              [value, this.shapeConstant(id, step.shape)],
              { allowZero: false },
              options,
            );
      const isLast = i === steps.length - 1;
      const { quant } = this.value(id);
      if (quant && (isLast || quant.axis === undefined))
        value = this.builder.quantize(value.id, value.type, orderedQuant(quant, order));
      this.changes++;
    }
    this.keep(id, order, value);
    return value;
  }

  private orderedInput(id: ValueId, order: Order): Value {
    const constant = this.constantInput(id);
    if (isSourceOrder(order)) return constant;
    const rank = order.perm.length;
    return this.movedConstant(constant, orderKey(order), (tensor) => orderedConstant(tensor, rank, order));
  }

  private constantInput(id: ValueId): Value {
    const key = `${id}\nconstant`;
    const known = this.written.get(key);
    if (known) return known;
    const { constant, quant } = this.value(id);
    const value = this.builder.constant(id, constant!, quant);
    this.written.set(key, value);
    return value;
  }

  /** A constant in another order; made once per constant and order. */
  private movedConstant(value: Value, key: string, move: (tensor: Tensor) => Tensor): Value {
    const tensor = move(value.constant!);
    if (tensor === value.constant) return value;
    const known = this.orderConstants.get(`${value.id}\n${key}`);
    if (known) return known;
    const moved = this.builder.constant(this.free(`${value.id}/ordered`), tensor, value.quant);
    this.orderConstants.set(`${value.id}\n${key}`, moved);
    return moved;
  }

  private shapeConstant(name: string, shape: readonly number[]): Value {
    return this.axes(`${name}/shape`, shape);
  }

  private axes(name: string, values: readonly number[]): Value {
    return this.builder.constant(this.free(name), axisTensor(values));
  }

  private keep(id: ValueId, order: Order, value: Value): void {
    this.written.set(`${id}\n${orderKey(order)}`, value);
  }

  private nameFor(id: ValueId): ValueId {
    return this.names.get(id) ?? id;
  }

  /** A name that neither this graph nor the one it comes from uses. */
  private free(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.graph.values.has(name) || this.builder.has(name); i++) name = `${wanted}_${i}`;
    return name;
  }

  private value(id: ValueId): Value {
    return valueNamed(this.graph, id);
  }
}

function sameShape(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** @returns the graph in the planned orders, how much changed, and why each transpose stands. */
export function applyLayout(graph: Graph, plan: LayoutPlan, target: LayoutTarget) {
  const writer = new LayoutWriter(graph, plan, target);
  const ordered = writer.run();
  const borders: Record<ValueId, readonly number[]> = {};
  for (const id of graph.inputs) noteBorder(borders, id, plan.made.get(id));
  for (const [id, order] of plan.outputs) noteBorder(borders, id, order);
  return { graph: ordered, report: { changes: writer.changes, notes: writer.notes, borders } };
}

function noteBorder(
  borders: Record<ValueId, readonly number[]>,
  id: ValueId,
  order: Order | undefined,
): void {
  if (order && !isSourceOrder(order)) borders[id] = order.perm;
}
