import type { IoType } from '../contract/views.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, type Value, valueNamed } from '../ir/graph.ts';
import { floatTensor, type Tensor, toFloat32 } from '../ir/tensor.ts';
import type { QuantRule } from '../ops/facets.ts';
import { inferTypes } from '../ops/registry.ts';
import type { PlannedType } from './apply-tflite.ts';
import { addBorder, asInt8, asUint8, paramsOf } from './borders.ts';
import { biasScales, quantizeBias, quantizeConstant } from './constants.ts';
import type { SettledForm } from './onnx-form.ts';
import { withPropagated, withUint8 } from './onnx-plan.ts';
import { operandKey, type QuantPlan, type ValuePlan } from './plan.ts';
import { biasSlot, inputRule, isFloatValue, ruleOf } from './rules.ts';
import { placeForTensorrt } from './tensorrt-placement.ts';

export interface QdqOptions {
  readonly io: IoType;
  /** Default `s8s8`: integers as the plan has them. */
  readonly form?: SettledForm;
}

/**
 * Turns a plan into a QDQ graph for the ONNX writer: operators stay as they are, and a QuantizeLinear,
 * DequantizeLinear pair stands on every value that the plan gives integers to, where an integer operator reads it.
 * Weights and biases become integer constants behind a DequantizeLinear (per channel along the IR's own axis), both
 * operands of a residual addition are quantized, and no pair stands where nothing gains from it. For TensorRT pairs
 * stand only where `placeForTensorrt` has them, and biases stay in float.
 * @param graph of `prepareForOnnx`; its values bear the names of the graph that the plan was decided on
 */
export function applyPlanForOnnx(
  graph: Graph,
  plan: QuantPlan,
  options: QdqOptions = { io: 'float32' },
): Graph {
  const whole = withPropagated(graph, plan);
  const form = options.form ?? 's8s8';
  const isUnsigned = form === 'u8s8' || form === 'u8s8-reduced';
  return new QdqApplication(graph, isUnsigned ? withUint8(graph, whole) : whole, options.io, {
    bordered: form === 'tensorrt' && isNarrow(whole) ? placeForTensorrt(graph, whole) : undefined,
  }).run();
}

/** Whether activations have 8 bits. */
function isNarrow(plan: QuantPlan): boolean {
  return Object.values(plan.values).every(({ dtype }) => dtype !== 'int16');
}

class QdqApplication {
  private readonly graph: Graph;
  private readonly plan: QuantPlan;
  private readonly io: IoType;
  /** Keys of the operands that borders stand before, where they stand only there. */
  private readonly bordered: ReadonlySet<string> | undefined;
  private readonly builder: GraphBuilder;
  /** Values as operators make them. */
  private readonly made = new Map<string, Value>();
  /** Values behind their pair of borders, and constants behind their DequantizeLinear. */
  private readonly rounded = new Map<string, Value>();
  /** Constants as integers. */
  private readonly integers = new Map<string, Value>();
  /** Constants whose integers are cast and multiplied. */
  private readonly wide = new Map<string, Value>();
  /** Values that integer operators make: everyone reads them rounded, as in TFLite. */
  private readonly integerMade = new Set<string>();
  private readonly outputs: ReadonlySet<string>;

  constructor(
    graph: Graph,
    plan: QuantPlan,
    io: IoType,
    { bordered }: { bordered: ReadonlySet<string> | undefined },
  ) {
    this.graph = graph;
    this.plan = plan;
    this.io = io;
    this.bordered = bordered;
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
    const real = addBorder(this.builder, 'DequantizeLinear', port, plan, `${id}/dequantized`);
    const inner = this.plan.values[id];
    // Kernels want operands and results of one type: the same reals in the type of the rest.
    const isAlike = inner.dtype === plan.dtype;
    this.rounded.set(id, isAlike ? real : this.pair(real, inner, `${id}/${inner.dtype}`));
    this.made.set(id, real);
    this.integerMade.add(id);
  }

  private addOutput(id: string): string {
    const plan = this.portPlan(id);
    if (plan) {
      const isAlike = this.plan.values[id].dtype === plan.dtype;
      const source = (isAlike && this.made.get(id)) || this.read(id, 'integer');
      return addBorder(this.builder, 'QuantizeLinear', source, plan, id).id;
    }
    return this.read(id, 'float').id;
  }

  /** Parameters of an integer input or output of the graph. */
  private portPlan(id: string): ValuePlan | undefined {
    const plan = this.plan.values[id];
    if (this.io === 'float32' || !plan || !isFloatValue(valueNamed(this.graph, id))) return undefined;
    if (this.io === plan.dtype) return plan;
    return this.io === 'uint8' ? asUint8(plan) : asInt8(plan);
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
      if (mode === 'integer' && this.plan.values[id] && !this.bordered) this.integerMade.add(id);
    });
  }

  private operand(node: Node, rule: QuantRule | undefined, slot: number, id: string, mode: string): Value {
    const value = valueNamed(this.graph, id);
    const kind = rule ? inputRule(rule, slot).kind : 'plain';
    const weights = kind === 'weight' && value.constant ? this.plan.values[id] : undefined;
    if (weights && (mode === 'hybrid' || mode === 'weights-only') && !this.bordered) {
      // As in TFLite, also where the activations were integers: the two files of a plan agree then.
      const isDynamic = mode === 'hybrid' && rule?.onnxDynamicInt8;
      const form = isDynamic ? 'stored' : 'widened';
      return this[form](id, value.constant!, weights);
    }
    if (kind === 'plain' || !isFloatValue(value)) return this.read(id, 'float');
    const key = operandKey(node.id, slot);
    if (this.bordered && !this.bordered.has(key)) return this.read(id, 'float');
    const other = this.plan.requantized[key];
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
      const constant = this.stored(id, value.constant, plan);
      result = addBorder(this.builder, 'DequantizeLinear', constant, plan, `${id}/dequantized`);
    } else {
      const isOutput = this.outputs.has(id) && this.integerMade.has(id) && !this.portPlan(id);
      result = this.pair(this.made.get(id)!, plan, id, isOutput ? id : undefined);
    }
    (isRounded ? this.rounded : this.made).set(id, result);
    return result;
  }

  /** The integers of a constant, without the DequantizeLinear behind them. */
  private stored(id: string, constant: Tensor, plan: ValuePlan): Value {
    const known = this.integers.get(id);
    if (known) return known;
    const integers = quantizeConstant(constant, plan.dtype as PlannedType, plan);
    const value = this.builder.constant(`${id}/quantized`, integers, paramsOf(plan));
    this.integers.set(id, value);
    return value;
  }

  /**
   * A constant in reals whose integers stand in the file: cast and multiplied, which runtimes do once when they load
   * it. A DequantizeLinear they would keep, for integer kernels to take in, and run each time.
   */
  private widened(id: string, constant: Tensor, plan: ValuePlan): Value {
    const known = this.wide.get(id);
    if (known) return known;
    const integers = quantizeConstant(constant, plan.dtype as PlannedType, plan);
    const stored = this.builder.constant(`${id}/integers`, integers);
    const { shape } = constant;
    const types = [{ dtype: 'float32', shape } as const];
    const named = (name: string) => ({ name, outputs: [this.builder.freeName(name)], types });
    const cast = this.builder.one('Cast', [stored], { to: 'float32' }, named(`${id}/cast`));
    const scales = floatTensor(
      plan.axis === undefined ? [] : shape.map((dim, axis) => (axis === plan.axis ? dim : 1)),
      plan.scales,
    );
    const scale = this.builder.constant(`${id}/scale`, scales);
    const wide = this.builder.one('Mul', [cast, scale], { activation: 'none' }, named(`${id}/dequantized`));
    this.wide.set(id, wide);
    return wide;
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
    if (mode !== 'integer' || !x || !weights || this.plan.precision === 'int16x8' || this.bordered) {
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
      this.outputs.has(id) &&
      this.plan.values[id] &&
      ((mode === 'integer' && !this.bordered) || this.portPlan(id));
    return this.builder.freeName(givesWay ? `${id}/float` : id);
  }
}
