/**
 * Operators of com.microsoft that onnxruntime's optimizer makes of several, taken apart again (equations of
 * onnxruntime's ContribOperators.md).
 */
import type { Value } from '../../ir/graph.ts';
import { OnnxSteps } from '../composite/onnx-steps.ts';
import { convOnnx } from '../conv/conv.onnx.ts';
import { denseOnnx } from '../dense/dense.onnx.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { newest } from '../onnx-helpers.ts';

/** The same node as one with other outputs, inputs or answers. */
export function seenAs(node: OnnxNodeView, changes: Partial<OnnxNodeView>): OnnxNodeView {
  return Object.assign(Object.create(node) as OnnxNodeView, changes);
}

/** Names for one result that goes on within the node. */
function innerView(node: OnnxNodeView, out: OnnxSteps, what: string): OnnxNodeView {
  const name = `${node.name}/${what}`;
  return seenAs(node, { name, outputs: [out.builder.freeName(name)], opset: 13 });
}

/** Parameters by position, as the fused operators list them. */
function addActivation(
  out: OnnxSteps,
  x: Value,
  kind: string,
  parameter: (index: number, fallback: number) => number,
): void {
  switch (kind) {
    case '':
      out.last('Identity', [x]);
      return;
    case 'Relu':
    case 'Tanh':
    case 'Sigmoid':
    case 'Softsign':
    case 'Softplus':
      out.last(kind, [x]);
      return;
    case 'LeakyRelu':
      out.last(kind, [x], { alpha: parameter(0, 0.01) });
      return;
    case 'Elu':
      out.last(kind, [x], { alpha: parameter(0, 1) });
      return;
    case 'HardSigmoid':
      out.last(kind, [x], { alpha: parameter(0, 0.2), beta: parameter(1, 0.5) });
      return;
    case 'Clip': {
      const limits = [0, 1].map((i) => out.scalar(x.type.dtype, parameter(i, Number.NaN), `limit${i}`));
      out.last(kind, [x, ...limits]);
      return;
    }
    default:
      out.node.refuse(`its activation ${kind} is not known`);
  }
}

/** activation(Conv(x, w, b) + z) */
const readFusedConv: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const inner = innerView(node, out, 'conv');
  newest(convOnnx.read.Conv)(inner, builder);
  const conv = builder.get(inner.outputs[0]);
  const sum = node.inputs[3] ? out.two('Add', conv, node.inputs[3], 'sum') : conv;
  const given = node.floats('activation_params') ?? [];
  addActivation(out, sum, node.string('activation', ''), (i, fallback) => given[i] ?? fallback);
};

const readFusedGemm: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const inner = innerView(node, out, 'gemm');
  newest(denseOnnx.read.Gemm)(inner, builder);
  const names = ['activation_alpha', 'activation_beta'];
  addActivation(out, builder.get(inner.outputs[0]), node.string('activation', ''), (i, fallback) =>
    node.float(names[i], fallback),
  );
};

/** alpha × A' × B' */
const readFusedMatMul: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  for (const name of ['transBatchA', 'transBatchB']) {
    if (node.int(name, 0) !== 0) node.refuse(`${name} = 1 is not supported`);
  }
  const operands = ['A', 'B'].map((letter, i) => {
    const x = out.input(i);
    const rank = x.type.shape.length;
    if (node.int(`trans${letter}`, 0) === 0 || rank < 2) return x;
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    perm.push(...perm.splice(-2).reverse());
    return out.transpose(x, perm, letter);
  });
  const alpha = node.float('alpha', 1);
  if (alpha === 1) {
    out.last('MatMul', operands);
    return;
  }
  const product = out.one('MatMul', operands, {}, 'product');
  out.last('Mul', [product, out.scalar(product.type.dtype, alpha, 'alpha')], { activation: 'none' });
};

/** An activation of x + bias, where there is one. */
function readBiased(op: string, attrs: Record<string, unknown> = {}): OnnxReader {
  return (node, builder) => {
    const out = new OnnxSteps(node, builder);
    const x = node.inputs[1] ? out.two('Add', out.input(0), node.inputs[1], 'biased') : out.input(0);
    out.last(op, [x], attrs as never);
  };
}

/** x × sigmoid(alpha × x) */
const readQuickGelu: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const x = out.input(0);
  const scaled = out.two('Mul', x, out.scalar(x.type.dtype, node.float('alpha', 1.702), 'alpha'), 'scaled');
  out.last('Mul', [x, out.one('Sigmoid', [scaled], {}, 'gate')], { activation: 'none' });
};

/** x + bias + skip, of pictures whose channels are last. */
const readBiasAdd: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  out.last('Add', [out.two('Add', out.input(0), out.input(1), 'biased'), out.input(2)], {
    activation: 'none',
  });
};

/** The sum of a layer's input and its skip connection, with a bias where there is one; given out as output 3. */
function skipSum(out: OnnxSteps, bias: number): Value {
  const sum = out.two('Add', out.input(0), out.input(1), 'skipped');
  const extra = out.node.inputs[bias];
  const all = extra ? out.two('Add', sum, extra, 'biased') : sum;
  out.give(all, 3);
  return all;
}

const readSkipLayerNormalization: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const sum = skipSum(out, 4);
  const attrs = { epsilon: node.float('epsilon', 1e-12), axis: sum.type.shape.length - 1 };
  out.last('LayerNormalization', [sum, out.input(2), node.inputs[3] ?? null], attrs);
};

/** x / √(mean(x²) + epsilon) × scale over the last axis. */
function addRms(out: OnnxSteps, x: Value, scale: Value, epsilon: number, axes: readonly number[]): void {
  const square = out.reduce('ReduceMean', out.two('Mul', x, x, 'squared'), axes, true, 'mean');
  const shifted = out.two('Add', square, out.scalar(x.type.dtype, epsilon, 'epsilon'), 'shifted');
  const normal = out.two('Div', x, out.one('Sqrt', [shifted], {}, 'root'), 'normal');
  out.last('Mul', [normal, scale], { activation: 'none' });
}

const readSimplifiedLayerNormalization: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const rank = out.input(0).type.shape.length;
  if (node.int('stash_type', 1) !== 1) node.refuse('stash_type is not supported');
  const axis = node.int('axis', -1);
  const axes = Array.from({ length: rank }, (_, i) => i).slice(axis < 0 ? axis + rank : axis);
  addRms(out, out.input(0), out.input(1), node.float('epsilon', 1e-5), axes);
};

const readSkipSimplifiedLayerNormalization: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const sum = skipSum(out, 3);
  addRms(out, sum, out.input(2), node.float('epsilon', 1e-12), [sum.type.shape.length - 1]);
};

/** Rows of three tables, added up and normalized. */
const readEmbedLayerNormalization: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const rows = (table: Value, ids: Value, what: string) => out.one('Gather', [table, ids], { axis: 0 }, what);
  const ids = out.input(0);
  const [batch, length] = out.shape(ids);
  if (node.int('mask_index_type', 0) !== 0 && node.outputs[1] !== undefined && node.inputs[7]) {
    node.refuse('it makes a mask, which is not supported');
  }
  const words = rows(out.input(2), ids, 'words');
  const positions =
    node.inputs[8] ??
    out.ints(
      Array.from({ length }, (_, i) => i),
      'positions',
    );
  const placed = out.two('Add', words, rows(out.input(3), positions, 'places'), 'placed');
  const segments = node.inputs[1];
  const table = node.inputs[4];
  const sum =
    segments && table ? out.two('Add', placed, rows(table, segments, 'segments'), 'embedded') : placed;
  out.give(sum, 2);
  const mask = node.inputs[7];
  if (mask) out.give(out.reduce('ReduceSum', mask, [1], false, 'lengths'), 1);
  else if (out.wants(1)) {
    out.give(out.cast(out.ints(new Array<number>(batch).fill(0), 'no_mask'), 'int32', 'lengths'), 1);
  }
  const attrs = { epsilon: node.float('epsilon', 1e-12), axis: sum.type.shape.length - 1 };
  out.last('LayerNormalization', [sum, out.input(5), out.input(6)], attrs);
};

export const fusedReaders = {
  'com.microsoft::FusedConv': { 1: readFusedConv },
  'com.microsoft::FusedGemm': { 1: readFusedGemm },
  'com.microsoft::FusedMatMul': { 1: readFusedMatMul },
  'com.microsoft::TransposeMatMul': { 1: readFusedMatMul },
  'com.microsoft::Gelu': { 1: readBiased('Gelu', { approximate: false }) },
  'com.microsoft::BiasGelu': { 1: readBiased('Gelu', { approximate: false }) },
  'com.microsoft::FastGelu': { 1: readBiased('Gelu', { approximate: true }) },
  'com.microsoft::QuickGelu': { 1: readQuickGelu },
  'com.microsoft::BiasAdd': { 1: readBiasAdd },
  'com.microsoft::SkipLayerNormalization': { 1: readSkipLayerNormalization },
  'com.microsoft::SkipSimplifiedLayerNormalization': { 1: readSkipSimplifiedLayerNormalization },
  'com.microsoft::EmbedLayerNormalization': { 1: readEmbedLayerNormalization },
  SimplifiedLayerNormalization: { 1: readSimplifiedLayerNormalization },
};
