/** ONNX Gemm (7, 11: C optional) and MatMul. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, permute, type Tensor, tensorOf } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  float,
  input,
  int,
  named,
  type OnnxWriter,
  plainReader,
  plainWriter,
  since,
  writeActivated,
} from '../onnx-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';
import type { GemmAttrs } from '../vocabulary.ts';

/** Gemm's C as the bias `[N]` of a dense layer, when it is the same for each row. */
function rowBias(builder: GraphBuilder, c: Value, n: number): Value | undefined {
  const tensor = c.constant;
  if (!tensor || tensor.shape.length > 2) return undefined;
  if (tensor.shape.length === 1 && tensor.shape[0] === n) return c;
  const count = elementCount(tensor.shape);
  if (tensor.shape.length === 2 && tensor.shape[0] !== 1) return undefined;
  if (count !== n && count !== 1) return undefined;
  const flat: Tensor = reshaped(tensor, [count]);
  const bias = count === n ? flat : pickByAxis(flat, [new Array<number>(n).fill(0)]);
  return builder.constant(`${c.id}/row`, bias);
}

function fullyConnected(
  node: OnnxNodeView,
  builder: GraphBuilder,
  [a, b, c]: readonly (Value | null)[],
  attrs: GemmAttrs,
): boolean {
  const plain = !attrs.transA && attrs.alpha === 1 && (!c || attrs.beta === 1);
  if (!plain || !b?.constant || b.constant.shape.length !== 2) return false;
  const n = b.constant.shape[attrs.transB ? 0 : 1];
  const bias = c ? rowBias(builder, c, n) : null;
  if (bias === undefined) return false;
  const weights = attrs.transB ? b : builder.constant(`${b.id}/transposed`, permute(b.constant, [1, 0]));
  builder.add('FullyConnected', [a, weights, bias], { activation: 'none' }, named(node));
  return true;
}

const readGemm: OnnxReader = (node, builder) => {
  const attrs: GemmAttrs = {
    alpha: node.float('alpha', 1),
    beta: node.float('beta', 1),
    transA: node.int('transA', 0) !== 0,
    transB: node.int('transB', 0) !== 0,
  };
  const inputs = [input(node, 0), input(node, 1), node.inputs[2] ?? null];
  if (fullyConnected(node, builder, inputs, attrs)) return;
  builder.add('Gemm', inputs, { ...attrs }, named(node));
};

const writeGemm: OnnxWriter = (node, context) => {
  const attrs = node.attrs as unknown as GemmAttrs;
  const inputs = node.inputs[2] === null ? node.inputs.slice(0, 2) : node.inputs;
  context.node('Gemm', inputs, node.outputs, {
    alpha: float(attrs.alpha),
    beta: float(attrs.beta),
    transA: int(attrs.transA),
    transB: int(attrs.transB),
  });
};

/**
 * Integer weights with activations in float: the activations are quantized at run time, and the product's scale is
 * that of the activations times that of each output, in the form that onnxruntime turns into one kernel.
 */
const writeDynamic: OnnxWriter = (node, context) => {
  const [x, weights, bias] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]];
  const { constant, quant } = context.value(weights);
  if (!constant || !quant) return context.refuse('integer weights must be constant');
  writeActivated(node, context, (output) => {
    const fresh = (what: string) => context.fresh(`${output}/${what}`);
    const [integers, scale, zero] = ['integers', 'scale', 'zero'].map(fresh);
    const [sum, wide, factor] = ['sum', 'wide', 'factor'].map(fresh);
    context.node('DynamicQuantizeLinear', [x], [integers, scale, zero]);
    const turned = context.initializer(`${weights}/transposed`, permute(constant, [1, 0]));
    context.node('MatMulInteger', [integers, turned, zero], [sum]);
    context.node('Cast', [sum], [wide], { to: int(1) });
    const scales = Float32Array.from(quant.scales);
    const shape = scales.length > 1 ? [scales.length] : [];
    const own = context.initializer(`${weights}/scales`, tensorOf('float32', shape, scales));
    context.node('Mul', [scale, own], [factor]);
    const product = bias === null || bias === undefined ? output : fresh('product');
    context.node('Mul', [wide, factor], [product]);
    if (bias !== null && bias !== undefined) context.node('Add', [product, bias], [output]);
  });
};

/** Gemm for matrices; MatMul and Add for other ranks, where ONNX has no dense layer. */
const writeFullyConnected: OnnxWriter = (node, context) => {
  if (context.value(node.inputs[1]!).quant) return writeDynamic(node, context);
  const [x, weights, bias] = [node.inputs[0]!, node.inputs[1]!, node.inputs[2]];
  writeActivated(node, context, (output) => {
    if (context.value(x).type.shape.length === 2) {
      const inputs = bias === null || bias === undefined ? [x, weights] : [x, weights, bias];
      context.node('Gemm', inputs, [output], { transB: int(1) });
      return;
    }
    const { constant } = context.value(weights);
    let turned: string;
    if (constant) turned = context.initializer(`${weights}/transposed`, permute(constant, [1, 0]));
    else {
      turned = context.fresh(`${weights}/transposed`);
      context.node('Transpose', [weights], [turned], { perm: { ints: indices(2).reverse() } });
    }
    if (bias === null || bias === undefined) {
      context.node('MatMul', [x, turned], [output]);
      return;
    }
    const product = context.fresh(`${output}/product`);
    context.node('MatMul', [x, turned], [product]);
    context.node('Add', [product, bias], [output]);
  });
};

export const denseOnnx = {
  read: { Gemm: since(7, readGemm), MatMul: since(1, plainReader('MatMul')) },
  write: { FullyConnected: writeFullyConnected, Gemm: writeGemm, MatMul: plainWriter('MatMul') },
} satisfies OnnxFacet;
