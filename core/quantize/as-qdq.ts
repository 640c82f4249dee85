/** A graph whose values carry scales, as a quantized TFLite file has them, with borders in their place. */
import { GraphBuilder } from '../ir/builder.ts';
import type { DType } from '../ir/dtype.ts';
import { type Graph, type Node, type QuantParams, type Value, valueNamed } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import type { FusedActivation } from '../ops/vocabulary.ts';
import { addBorder, paramsOf } from './borders.ts';
import type { ValuePlan } from './plan.ts';

/**
 * The same numbers as a QDQ graph: operators on reals, a QuantizeLinear and a DequantizeLinear behind each value that
 * has a scale, integer constants behind a DequantizeLinear. 64-bit biases, which ONNX does not dequantize, become reals.
 * Integer inputs and outputs stay integer.
 */
export function asQdqGraph(graph: Graph): Graph {
  return new Conversion(graph).run();
}

function plannedAs(dtype: DType, quant: QuantParams): ValuePlan {
  return { ...paramsOf(quant), dtype, reason: 'as stored in the file' };
}

class Conversion {
  private readonly graph: Graph;
  private readonly builder: GraphBuilder;
  /** The real value that stands for each value of the source. */
  private readonly real = new Map<string, Value>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.builder = new GraphBuilder(graph.name, inferTypes);
  }

  run(): Graph {
    for (const id of this.graph.inputs) {
      const { type, quant } = valueNamed(this.graph, id);
      const port = this.builder.input(id, type, quant);
      this.real.set(id, quant ? this.dequantized(port, plannedAs(type.dtype, quant), id) : port);
    }
    for (const node of this.graph.nodes) this.node(node);
    const outputs = this.graph.outputs.map((id) => this.output(id));
    return this.builder.finish(outputs, this.graph.source);
  }

  private node(node: Node): void {
    const [output] = node.outputs;
    const inputs = node.inputs.map((id) => (id === null ? null : this.operand(id)));
    if (node.op === 'DequantizeLinear' && inputs[0]!.type.dtype === 'float32') {
      // What it reads is a real number already.
      this.real.set(output, inputs[0]!);
      return;
    }
    if (node.op === 'QuantizeLinear') {
      this.rounded(output, inputs[0]!);
      return;
    }
    const names = node.outputs.map((id) => this.builder.freeName(this.isScaled(id) ? `${id}/real` : id));
    const made =
      node.op === 'FullyConnected' && !inputs[1]!.constant
        ? [this.dense(node, inputs, names[0])]
        : this.builder.add(node.op, inputs, node.attrs, { name: node.id, outputs: names });
    node.outputs.forEach((id, i) => {
      if (this.isScaled(id)) this.rounded(id, made[i]);
      else this.real.set(id, made[i]);
    });
  }

  /** A dense layer of the IR has constant weights; behind a border they are an operand of a product. */
  private dense(node: Node, [x, weights, bias]: readonly (Value | null)[], name: string): Value {
    const { activation } = node.attrs as { activation: FusedActivation };
    const options = { name: node.id, outputs: [name] };
    const inner = activation === 'none' ? options : { name: `${node.id}/product` };
    let product: Value;
    if (x!.type.shape.length === 2) {
      const attrs = { alpha: 1, beta: 1, transA: false, transB: true };
      product = this.builder.one('Gemm', [x, weights, bias ?? null], attrs, inner);
    } else {
      const columns = this.builder.one(
        'Transpose',
        [weights],
        { perm: [1, 0] },
        { name: `${node.id}/columns` },
      );
      const last = bias ? { name: `${node.id}/matmul` } : inner;
      product = this.builder.one('MatMul', [x, columns], {}, last);
      if (bias) product = this.builder.one('Add', [product, bias], { activation: 'none' }, inner);
    }
    if (activation === 'none') return product;
    if (activation === 'relu') return this.builder.one('Relu', [product], {}, options);
    const limits = (activation === 'relu6' ? [0, 6] : [-1, 1]).map((limit) =>
      this.builder.constant(`${node.id}/limit`, floatTensor([], [limit])),
    );
    return this.builder.one('Clip', [product, ...limits], {}, options);
  }

  private isScaled(id: string): boolean {
    return valueNamed(this.graph, id).quant !== undefined;
  }

  /** Rounds a real value to the numbers that the file has for it. */
  private rounded(id: string, source: Value): void {
    const { type, quant } = valueNamed(this.graph, id);
    const plan = plannedAs(type.dtype, quant!);
    const isPort = this.graph.outputs.includes(id);
    const integers = addBorder(this.builder, 'QuantizeLinear', source, plan, isPort ? id : `${id}/quantized`);
    this.real.set(id, this.dequantized(integers, plan, id));
  }

  private dequantized(integers: Value, plan: ValuePlan, id: string): Value {
    return addBorder(this.builder, 'DequantizeLinear', integers, plan, `${id}/dequantized`);
  }

  private operand(id: string): Value {
    const known = this.real.get(id);
    if (known) return known;
    const { constant, quant } = valueNamed(this.graph, id);
    let value: Value;
    if (!quant) value = this.builder.constant(id, constant!);
    else if (constant!.dtype === 'int64') value = this.builder.constant(id, wideReals(constant!, quant));
    else {
      const integers = this.builder.constant(id, constant!, quant);
      value = this.dequantized(integers, plannedAs(constant!.dtype, quant), id);
    }
    this.real.set(id, value);
    return value;
  }

  private output(id: string): string {
    if (this.graph.inputs.includes(id)) return id;
    const value = this.operand(id);
    if (this.isScaled(id) || value.id === id) return id;
    return this.builder.one('Identity', [value], {}, { outputs: [id] }).id;
  }
}

/** Biases of 16-bit operators: one scale, or one for each. */
function wideReals(constant: Parameters<typeof toFloat32>[0], { scales, zeroPoints }: QuantParams) {
  const numbers = toFloat32(constant).map((q, i) => {
    const channel = scales.length > 1 ? i : 0;
    return (q - zeroPoints[channel]) * scales[channel];
  });
  return floatTensor(constant.shape, numbers);
}
