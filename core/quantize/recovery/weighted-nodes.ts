import { type Graph, type Node, type ValueId, valueNamed } from '../../ir/graph.ts';
import { type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { PlannedType } from '../apply-tflite.ts';
import { quantizeElements } from '../constants.ts';
import { operandPlan, type QuantPlan, type ValuePlan } from '../plan.ts';
import { biasSlot, inputRule, ruleOf } from '../rules.ts';
import type { RecoveryContext } from './recovery.ts';

/** An operator whose constant weights `[outputs, inputs ÷ group, …taps]` a plan stores in integers. */
export interface WeightedNode {
  /** In the graph that was calibrated. */
  readonly node: Node;
  readonly weightsId: ValueId;
  readonly weights: Tensor;
  readonly plan: ValuePlan;
  /** Of each output. */
  readonly scales: readonly number[];
  readonly group: number;
  /** Weights that meet one output: inputs ÷ group × taps. */
  readonly columns: number;
  /** The model's own bias; zeros where it has none. */
  readonly bias: Float32Array;
  /** In the graph that the plan was decided on, where the columns may stand in another order. */
  readonly planned: { readonly weightsId: ValueId; readonly weights: Tensor };
}

/** The operators with planned weights per output channel, in graph order, as both forms of the network have them. */
export function weightedNodes(plan: QuantPlan, { graph, planned }: RecoveryContext): WeightedNode[] {
  const others = new Map(planned.nodes.map((node) => [node.id, node]));
  const found: WeightedNode[] = [];
  for (const node of graph.nodes) {
    const mode = plan.nodes[node.id]?.mode;
    const other = others.get(node.id)?.inputs[1];
    if (!mode || mode === 'float' || !other) continue;
    const mine = ownForm(graph, node, plan);
    const theirs = valueNamed(planned, other).constant;
    if (!mine || !theirs || String(theirs.shape) !== String(mine.weights.shape)) continue;
    found.push({ ...mine, planned: { weightsId: other, weights: theirs } });
  }
  return found;
}

function ownForm(graph: Graph, node: Node, plan: QuantPlan): Omit<WeightedNode, 'planned'> | undefined {
  const rule = ruleOf(node);
  const bias = rule && biasSlot(rule);
  const [x, weightsId] = node.inputs;
  if (!rule || !bias || !x || !weightsId) return undefined;
  const slot = inputRule(rule, 1);
  const weights = valueNamed(graph, weightsId).constant;
  const params = operandPlan(plan, node.id, 1, weightsId);
  if (slot.kind !== 'weight' || slot.axis !== 0 || !weights || !params || (params.axis ?? 0) !== 0)
    return undefined;
  const biasId = node.inputs[bias.slot];
  const given = biasId ? valueNamed(graph, biasId).constant : undefined;
  return {
    node,
    weightsId,
    weights,
    plan: params,
    scales: Array.from({ length: weights.shape[0] }, (_, row) => params.scales[row] ?? params.scales[0]),
    group: typeof node.attrs.group === 'number' ? node.attrs.group : 1,
    columns: weights.shape.slice(1).reduce((product, dim) => product * dim, 1),
    bias: given ? toFloat32(given) : new Float32Array(weights.shape[0]),
  };
}

/** Operators by the weights that they share, in the order of the first of each. */
export function byWeights(nodes: readonly WeightedNode[]): Map<ValueId, WeightedNode[]> {
  const shared = new Map<ValueId, WeightedNode[]>();
  for (const node of nodes) {
    const alike = shared.get(node.weightsId);
    if (alike) alike.push(node);
    else shared.set(node.weightsId, [node]);
  }
  return shared;
}

/** The operators that share their weights with no other. */
export function unshared(nodes: readonly WeightedNode[]): WeightedNode[] {
  return [...byWeights(nodes).values()].filter(({ length }) => length === 1).flat();
}

/** The weights as they will be once they are integers, in real numbers. */
export function roundedWeights({ weights, plan, scales, columns }: WeightedNode): Float64Array {
  const integers = quantizeElements(weights, plan.dtype as PlannedType, plan);
  const rounded = new Float64Array(integers.length);
  for (let row = 0, at = 0; row < scales.length; row++) {
    for (const end = at + columns; at < end; at++) rounded[at] = integers[at] * scales[row];
  }
  return rounded;
}

/** What each weight is off by once it is an integer. */
export function roundingErrors(node: WeightedNode): Float64Array {
  const data = toFloat32(node.weights);
  const errors = roundedWeights(node);
  for (let at = 0; at < errors.length; at++) errors[at] -= data[at];
  return errors;
}

/**
 * Puts integers in place of those that rounding to nearest gives, in both forms of the network.
 * @param integers in the order of the calibrated graph's weights
 * @returns undefined where the two forms' weights are not the same numbers in another order of columns
 */
export function withIntegers(
  values: Readonly<Record<ValueId, ValuePlan>>,
  { weightsId, weights, plan, columns, planned }: WeightedNode,
  integers: Int8Array,
): Record<ValueId, ValuePlan> | undefined {
  const own = { ...plan, integers };
  if (planned.weightsId === weightsId) return { ...values, [weightsId]: own };
  const order = columnOrder(toFloat32(weights), toFloat32(planned.weights), columns);
  if (!order) return undefined;
  const moved = new Int8Array(integers.length);
  for (let row = 0; row < integers.length; row += columns) {
    for (let c = 0; c < columns; c++) moved[row + c] = integers[row + order[c]];
  }
  return { ...values, [weightsId]: own, [planned.weightsId]: { ...plan, integers: moved } };
}

/** For each column of `to` the column of `from` that holds the same numbers; undefined where there is none. */
function columnOrder(from: Float32Array, to: Float32Array, columns: number): Int32Array | undefined {
  const places = new Map<string, number[]>();
  for (let c = columns - 1; c >= 0; c--) {
    const key = columnKey(from, columns, c);
    const list = places.get(key);
    if (list) list.push(c);
    else places.set(key, [c]);
  }
  const order = new Int32Array(columns);
  for (let c = 0; c < columns; c++) {
    const place = places.get(columnKey(to, columns, c))?.pop();
    if (place === undefined) return undefined;
    order[c] = place;
  }
  return order;
}

function columnKey(data: Float32Array, columns: number, column: number): string {
  const bytes = new Float32Array(data.length / columns);
  for (let row = 0; row < bytes.length; row++) bytes[row] = data[row * columns + column];
  return Buffer.from(bytes.buffer).toString('latin1');
}
