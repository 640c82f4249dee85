import type { IoType } from '../contract/views.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, type Value, valueNamed } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import type { QuantRule } from '../ops/facets.ts';
import { inferTypes } from '../ops/registry.ts';
import { addBorder, asUint8, paramsOf } from './borders.ts';
import { biasScales, quantizeBias, quantizeConstant } from './constants.ts';
import { type NodePlan, operandKey, type QuantPlan, type ValuePlan } from './plan.ts';
import { biasSlot, inputRule, isFloatValue, outputRule, ruleOf } from './rules.ts';

/** Integer types that a plan gives to values (biases are made here). */
export type PlannedType = 'int4' | 'int8' | 'int16';

/**
 * Turns a plan into a graph for the TFLite writer: integer operators read and make integers, float ones reals, with
 * one border between the two wherever they meet. Inputs and outputs keep their names; what had to give way is called
 * `name/quantized` or `name/dequantized`.
 * @param graph the one that the plan was decided on
 */
export function applyPlanForTflite(graph: Graph, plan: QuantPlan, { io }: { io: IoType }): Graph {
  return new TfliteApplication(graph, plan, io).run();
}

class TfliteApplication {
  private readonly graph: Graph;
  private readonly plan: QuantPlan;
  private readonly io: IoType;
  private readonly builder: GraphBuilder;
  /** The float form (or, for values that are no reals, the only one) and the integer form of each value. */
  private readonly reals = new Map<string, Value>();
  private readonly integers = new Map<string, Value>();
  private readonly ports: ReadonlySet<string>;

  constructor(graph: Graph, plan: QuantPlan, io: IoType) {
    this.graph = graph;
    this.plan = plan;
    this.io = io;
    this.builder = new GraphBuilder(graph.name, inferTypes);
    this.ports = new Set([...graph.inputs, ...graph.outputs]);
  }

  run(): Graph {
    for (const id of this.graph.inputs) this.addInput(id);
    for (const node of this.graph.nodes) this.addNode(node);
    const outputs = this.graph.outputs.map((id) => this.addOutput(id));
    return this.builder.finish(outputs, this.graph.source);
  }

  private addInput(id: string): void {
    const value = valueNamed(this.graph, id);
    const plan = this.plan.values[id];
    if (this.io === 'float32' || !isFloatValue(value) || !plan) {
      this.reals.set(id, this.builder.input(id, value.type));
    } else if (this.io === plan.dtype) {
      this.integers.set(id, this.builder.input(id, { ...value.type, dtype: plan.dtype }, paramsOf(plan)));
    } else {
      const port = this.builder.input(id, { ...value.type, dtype: 'uint8' }, paramsOf(asUint8(plan)));
      this.integers.set(id, this.border('QuantizeLinear', port, plan, `${id}/quantized`));
    }
  }

  private addOutput(id: string): string {
    const value = valueNamed(this.graph, id);
    const plan = this.plan.values[id];
    if (this.io === 'float32' || !isFloatValue(value) || !plan) return this.real(id).id;
    const integer = this.integer(id, plan);
    if (this.io === plan.dtype) return integer.id;
    return this.border('QuantizeLinear', integer, asUint8(plan), id).id;
  }

  private addNode(node: Node): void {
    const mode = this.plan.nodes[node.id]?.mode ?? 'float';
    const rule = ruleOf(node);
    if (rule && mode === 'integer') this.addIntegerNode(node, rule);
    else {
      const inputs = node.inputs.map((id) => (id === null ? null : this.floatOperand(id, mode)));
      if (rule && this.plan.biases[node.id]) this.correctBias(node, rule, inputs);
      this.addFloatNode(node, inputs);
    }
  }

  /** An operand of an operator that computes in float: weights may be integers, handed over as they are or dequantized. */
  private floatOperand(id: string, mode: NodePlan['mode']): Value {
    const plan = this.plan.values[id];
    if (mode === 'float' || !plan || !valueNamed(this.graph, id).constant) return this.real(id);
    const weights = this.integer(id, plan);
    return mode === 'hybrid' ? weights : this.dequantizedWeights(id, weights, plan);
  }

  private addFloatNode(node: Node, inputs: readonly (Value | null)[]): void {
    const types = node.outputs.map((id) => valueNamed(this.graph, id).type);
    const names = node.outputs.map((id) => this.realName(id));
    const outputs = this.builder.add(node.op, inputs, node.attrs, { name: node.id, outputs: names, types });
    node.outputs.forEach((id, i) => {
      this.reals.set(id, outputs[i]);
    });
  }

  private addIntegerNode(node: Node, rule: QuantRule): void {
    const bias = biasSlot(rule);
    const inputs = node.inputs.map((id, slot) => {
      if (id === null || slot === bias?.slot) return null;
      const isReal = inputRule(rule, slot).kind !== 'plain' && isFloatValue(valueNamed(this.graph, id));
      if (!isReal) return this.real(id);
      const other = this.plan.requantized[operandKey(node.id, slot)];
      return other ? this.requantized(node, slot, id, other) : this.integer(id, this.plan.values[id]);
    });
    if (bias) inputs[bias.slot] = this.integerBias(node, bias, inputs);
    const isInteger = node.outputs.map(
      (id, slot) => outputRule(rule, slot).kind !== 'plain' && isFloatValue(valueNamed(this.graph, id)),
    );
    const outputs = this.builder.add(node.op, inputs, node.attrs, {
      name: node.id,
      outputs: node.outputs.map((id, slot) => (isInteger[slot] ? this.integerName(id) : this.realName(id))),
      types: node.outputs.map((id, slot) => {
        const { type } = valueNamed(this.graph, id);
        return isInteger[slot] ? { ...type, dtype: this.plan.values[id].dtype } : type;
      }),
    });
    node.outputs.forEach((id, slot) => {
      if (isInteger[slot]) {
        const { id: name, type } = outputs[slot];
        this.integers.set(id, this.builder.quantize(name, type, paramsOf(this.plan.values[id])));
      } else this.reals.set(id, outputs[slot]);
    });
  }

  /** The bias in integers; zeros where the model has none, as the integer kernels want one. */
  private integerBias(
    node: Node,
    bias: { slot: number; of: readonly [number, number] },
    inputs: readonly (Value | null)[],
  ): Value | null {
    const x = inputs[bias.of[0]]?.quant;
    const weights = inputs[bias.of[1]];
    const id = node.inputs[bias.slot];
    if (!x || !weights?.quant) return null;
    const axis = weights.quant.axis ?? 0;
    const channels = Number(weights.type.shape[axis]);
    const real =
      this.plan.biases[node.id] ??
      (id ? toFloat32(valueNamed(this.graph, id).constant!) : new Float32Array(channels));
    const scales = biasScales(x, weights.quant);
    const tensor = quantizeBias(real, scales, this.plan.precision === 'int16x8' ? 'int64' : 'int32');
    const zeroPoints = scales.map(() => 0);
    return this.builder.constant(this.builder.freeName(id ?? `${node.id}/bias`), tensor, {
      scales,
      zeroPoints,
      axis: scales.length > 1 ? 0 : undefined,
    });
  }

  /** The float form of a value, dequantized when only integers were made. */
  private real(id: string): Value {
    const known = this.reals.get(id);
    if (known) return known;
    const value = valueNamed(this.graph, id);
    const real = value.constant
      ? this.builder.constant(id, value.constant)
      : this.border(
          'DequantizeLinear',
          this.integers.get(id)!,
          this.plan.values[id],
          this.dequantizedName(id),
        );
    this.reals.set(id, real);
    return real;
  }

  /** The integer form of a value, quantized when only reals were made. */
  private integer(id: string, plan: ValuePlan): Value {
    const known = this.integers.get(id);
    if (known) return known;
    const value = valueNamed(this.graph, id);
    const integer = value.constant
      ? this.builder.constant(
          id,
          quantizeConstant(value.constant, plan.dtype as PlannedType, plan),
          paramsOf(plan),
        )
      : this.border('QuantizeLinear', this.reals.get(id)!, plan, this.integerName(id));
    this.integers.set(id, integer);
    return integer;
  }

  private requantized(node: Node, slot: number, id: string, plan: ValuePlan): Value {
    const source = this.integers.get(id) ?? this.reals.get(id) ?? this.real(id);
    return this.border('QuantizeLinear', source, plan, `${id}/for/${node.id}/${slot}`);
  }

  private dequantizedWeights(id: string, weights: Value, plan: ValuePlan): Value {
    const name = `${id}/dequantized`;
    const known = this.reals.get(name);
    if (known) return known;
    const real = this.border('DequantizeLinear', weights, plan, name);
    this.reals.set(name, real);
    return real;
  }

  /** Puts the bias that a recovery step found in the place of the model's own. */
  private correctBias(node: Node, rule: QuantRule, inputs: (Value | null)[]): void {
    const slot = biasSlot(rule)?.slot;
    const bias = this.plan.biases[node.id];
    if (slot === undefined) return;
    while (inputs.length <= slot) inputs.push(null);
    const name = inputs[slot]?.id ?? `${node.id}/bias`;
    inputs[slot] = this.builder.constant(name, floatTensor([bias.length], bias));
  }

  private border(
    op: 'QuantizeLinear' | 'DequantizeLinear',
    source: Value,
    plan: ValuePlan,
    name: string,
  ): Value {
    return addBorder(this.builder, op, source, plan, name);
  }

  /** Name of a value that a float operator makes. */
  private realName(id: string): string {
    const isIntegerOutput = this.io !== 'float32' && this.graph.outputs.includes(id) && this.plan.values[id];
    return this.builder.freeName(isIntegerOutput ? `${id}/float` : id);
  }

  private dequantizedName(id: string): string {
    return this.io === 'float32' && this.ports.has(id) ? id : `${id}/dequantized`;
  }

  /** Name of a value's integers: its own, unless a port of another type or its reals have that. */
  private integerName(id: string): string {
    const own = this.ports.has(id) ? this.io === this.plan.values[id].dtype : !this.reals.has(id);
    return this.builder.freeName(own ? id : `${id}/quantized`);
  }
}
