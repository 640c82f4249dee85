import type { IoType, OnnxForm } from '../contract/views.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, type Value, valueNamed } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import type { QuantRule } from '../ops/facets.ts';
import { inferTypes } from '../ops/registry.ts';
import type { PlannedType } from './apply-tflite.ts';
import { addBorder, asUint8, paramsOf } from './borders.ts';
import { biasScales, quantizeBias, quantizeConstant } from './constants.ts';
import { operandKey, operandPlan, type QuantPlan, type ValuePlan } from './plan.ts';
import { biasSlot, floatOperands, inputRule, isFloatValue, onlyMoves, ruleOf } from './rules.ts';

/**
 * Turns a plan into a QDQ graph for the ONNX writer: operators stay as they are, and a QuantizeLinear,
 * DequantizeLinear pair stands on every value that the plan gives integers to, where an integer operator reads it.
 * Weights and biases become integer constants behind a DequantizeLinear (per channel along the IR's own axis), both
 * operands of a residual addition are quantized, and no pair stands where nothing gains from it.
 * @param graph of `prepareForOnnx`; its values bear the names of the graph that the plan was decided on
 */
export function applyPlanForOnnx(
  graph: Graph,
  plan: QuantPlan,
  { io }: { io: IoType; form?: OnnxForm } = { io: 'float32' },
): Graph {
  return new QdqApplication(graph, withPropagated(graph, plan), io).run();
}

/**
 * Gives values that exist in this graph only their parameters: constants in another axis order, and what operators
 * that only move elements make of planned values.
 */
function withPropagated(graph: Graph, plan: QuantPlan): QuantPlan {
  const values: Record<string, ValuePlan> = { ...plan.values };
  for (const node of graph.nodes) {
    node.inputs.forEach((id, slot) => {
      const known = id !== null && graph.values.get(id)?.constant && operandPlan(plan, node.id, slot, id);
      if (id !== null && known) values[id] = known;
    });
    const rule = ruleOf(node);
    if (!rule || plan.nodes[node.id]?.mode === 'float' || !onlyMoves(rule)) continue;
    const source = floatOperands(graph, node, rule)[0]?.value.id;
    if (!source || !values[source]) continue;
    for (const id of node.outputs) values[id] ??= values[source];
  }
  return { ...plan, values };
}

class QdqApplication {
  private readonly graph: Graph;
  private readonly plan: QuantPlan;
  private readonly io: IoType;
  private readonly builder: GraphBuilder;
  /** Values as operators make them. */
  private readonly made = new Map<string, Value>();
  /** Values behind their pair of borders, and constants behind their DequantizeLinear. */
  private readonly rounded = new Map<string, Value>();
  /** Values that integer operators make: everyone reads them rounded, as in TFLite. */
  private readonly integerMade = new Set<string>();
  private readonly outputs: ReadonlySet<string>;

  constructor(graph: Graph, plan: QuantPlan, io: IoType) {
    this.graph = graph;
    this.plan = plan;
    this.io = io;
    this.builder = new GraphBuilder(graph.name, inferTypes);
    this.outputs = new Set(graph.outputs);
  }

  run(): Graph {
    for (const id of this.graph.inputs) this.addInput(id);
    for (const node of this.graph.nodes) this.addNode(node);
    const outputs = this.graph.outputs.map((id) => this.addOutput(id));
    return this.builder.finish(outputs, this.graph.source);
  }

  private addInput(id: string): void {
    const value = valueNamed(this.graph, id);
    const plan = this.portPlan(id);
    if (!plan) {
      this.made.set(id, this.builder.input(id, value.type));
      return;
    }
    const port = this.builder.input(id, { ...value.type, dtype: plan.dtype }, paramsOf(plan));
    this.rounded.set(id, addBorder(this.builder, 'DequantizeLinear', port, plan, `${id}/dequantized`));
    this.integerMade.add(id);
  }

  private addOutput(id: string): string {
    const plan = this.portPlan(id);
    if (plan) {
      const source = this.made.get(id) ?? this.read(id, 'integer');
      return addBorder(this.builder, 'QuantizeLinear', source, plan, id).id;
    }
    return this.read(id, 'float').id;
  }

  /** Parameters of an integer input or output of the graph. */
  private portPlan(id: string): ValuePlan | undefined {
    const plan = this.plan.values[id];
    if (this.io === 'float32' || !plan || !isFloatValue(valueNamed(this.graph, id))) return undefined;
    return this.io === 'uint8' ? asUint8(plan) : plan;
  }

  private addNode(node: Node): void {
    const rule = ruleOf(node);
    const planned = this.plan.nodes[node.id]?.mode;
    const isPlanned = (id: string | null) => id !== null && this.plan.values[id] !== undefined;
    const mode = planned ?? (rule && node.inputs.some(isPlanned) ? 'integer' : 'float');
    const inputs = node.inputs.map((id, slot) =>
      id === null ? null : this.operand(node, rule, slot, id, mode),
    );
    if (rule) this.setBias(node, rule, inputs, mode);
    const outputs = this.builder.add(node.op, inputs, node.attrs, {
      name: node.id,
      outputs: node.outputs.map((id) => this.madeName(id, mode)),
      types: node.outputs.map((id) => valueNamed(this.graph, id).type),
    });
    node.outputs.forEach((id, slot) => {
      this.made.set(id, outputs[slot]);
      if (mode === 'integer' && this.plan.values[id]) this.integerMade.add(id);
    });
  }

  private operand(node: Node, rule: QuantRule | undefined, slot: number, id: string, mode: string): Value {
    const value = valueNamed(this.graph, id);
    const kind = rule ? inputRule(rule, slot).kind : 'plain';
    if (kind === 'plain' || !isFloatValue(value)) return this.read(id, 'float');
    const other = this.plan.requantized[operandKey(node.id, slot)];
    if (other) return this.pair(this.read(id, 'float'), other, `${id}/for/${node.id}/${slot}`);
    return this.read(id, mode === 'float' ? 'float' : 'integer');
  }

  /**
   * A value for a reader: float readers take what a float operator made as it is, everyone takes what an integer
   * operator made rounded.
   */
  private read(id: string, mode: 'float' | 'integer'): Value {
    const value = valueNamed(this.graph, id);
    const plan = this.plan.values[id];
    const isRounded = plan && isFloatValue(value) && (mode === 'integer' || this.integerMade.has(id));
    const known = isRounded ? this.rounded.get(id) : this.made.get(id);
    if (known) return known;
    let result: Value;
    if (!isRounded) result = this.builder.constant(id, value.constant!);
    else if (value.constant) {
      const integers = quantizeConstant(value.constant, plan.dtype as PlannedType, plan);
      const constant = this.builder.constant(`${id}/quantized`, integers, paramsOf(plan));
      result = addBorder(this.builder, 'DequantizeLinear', constant, plan, `${id}/dequantized`);
    } else {
      const isOutput = this.outputs.has(id) && this.integerMade.has(id) && !this.portPlan(id);
      result = this.pair(this.made.get(id)!, plan, id, isOutput ? id : undefined);
    }
    (isRounded ? this.rounded : this.made).set(id, result);
    return result;
  }

  private pair(source: Value, plan: ValuePlan, base: string, name = `${base}/dequantized`): Value {
    const integers = addBorder(this.builder, 'QuantizeLinear', source, plan, `${base}/quantized`);
    return addBorder(this.builder, 'DequantizeLinear', integers, plan, name);
  }

  /**
   * Puts integers in the place of an integer operator's bias (int32 only: ONNX dequantizes no int64), and a corrected
   * bias in that of any operator's.
   */
  private setBias(node: Node, rule: QuantRule, inputs: (Value | null)[], mode: string): void {
    const bias = biasSlot(rule);
    if (!bias || mode === 'float') return;
    const id = node.inputs[bias.slot];
    const given = id ? valueNamed(this.graph, id).constant : undefined;
    const corrected = this.plan.biases[node.id];
    if (!given && !corrected) return;
    const real = corrected ?? toFloat32(given!);
    const x = this.plan.values[node.inputs[bias.of[0]] ?? ''];
    const weights = this.plan.values[node.inputs[bias.of[1]] ?? ''];
    const name = id ?? `${node.id}/bias`;
    while (inputs.length <= bias.slot) inputs.push(null);
    if (mode !== 'integer' || !x || !weights || this.plan.precision === 'int16x8') {
      if (corrected) inputs[bias.slot] = this.builder.constant(name, floatTensor([real.length], real));
      return;
    }
    const scales = biasScales(x, weights);
    const plan: ValuePlan = {
      dtype: 'int32',
      scales,
      zeroPoints: scales.map(() => 0),
      axis: scales.length > 1 ? 0 : undefined,
      reason: 'input scale × weight scale',
    };
    const tensor = quantizeBias(real, scales, 'int32');
    const constant = this.builder.constant(`${name}/quantized`, tensor, paramsOf(plan));
    inputs[bias.slot] = addBorder(this.builder, 'DequantizeLinear', constant, plan, `${name}/dequantized`);
  }

  private madeName(id: string, mode: string): string {
    const givesWay =
      this.outputs.has(id) && this.plan.values[id] && (mode === 'integer' || this.portPlan(id));
    return this.builder.freeName(givesWay ? `${id}/float` : id);
  }
}
