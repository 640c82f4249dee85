/** Attention of com.microsoft, which onnxruntime's optimizer for transformers makes, taken apart again. */
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import { OnnxSteps } from '../composite/onnx-steps.ts';
import type { OnnxReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { indices } from '../pick-elements.ts';

/** [batch, sequence, heads × size] as [batch, heads, sequence, size]. */
function byHead(out: OnnxSteps, x: Value, heads: number, what: string): Value {
  const [batch, sequence, width] = out.shape(x);
  if (heads < 1 || width % heads !== 0) out.node.refuse(`${heads} heads do not divide ${width} features`);
  const split = out.reshape(x, [batch, sequence, heads, width / heads], `${what}/split`);
  return out.transpose(split, [0, 2, 1, 3], `${what}/heads`);
}

/** `filter` where a mask of ones and zeros is zero, over the axes of scores. */
function maskBias(out: OnnxSteps, mask: Value, keys: number, filter: number, dtype: DType): Value {
  const shape = out.shape(mask);
  const batch = shape[0];
  const isLengths = shape.length === 1;
  const positions = () => out.constant(tensorFrom('int32', [keys], indices(keys)), 'positions');
  const allowed = isLengths
    ? out.one('Less', [positions(), out.reshape(mask, [batch, 1, 1, 1], 'lengths')], {}, 'inside')
    : out.one('Greater', [maskRows(out, mask, keys), out.scalar('int32', 0, 'none')], {}, 'allowed');
  const number = (value: number, what: string) => out.scalar(dtype, value, what);
  return out.one('Where', [allowed, number(0, 'zero'), number(filter, 'filter')], {}, 'mask');
}

function maskRows(out: OnnxSteps, mask: Value, keys: number): Value {
  const shape = out.shape(mask);
  const [batch] = shape;
  if (shape[shape.length - 1] !== keys || shape.length > 3) {
    return out.node.refuse(`its mask [${shape.join(', ')}] is not one of ${keys} keys`);
  }
  return out.reshape(mask, [batch, 1, shape.length === 2 ? 1 : shape[1], keys], 'rows');
}

/** Query i looks at keys up to i; the others are filtered. */
function causalBias(out: OnnxSteps, queries: number, keys: number, filter: number, dtype: DType): Value {
  const values = indices(queries * keys).map((i) => (i % keys > Math.floor(i / keys) ? filter : 0));
  return out.cast(
    out.constant(tensorFrom('float32', [queries, keys], values), 'causal'),
    dtype,
    'causal/cast',
  );
}

interface Heads {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** softmax(scale × q kᵀ + biases) v, with the heads side by side again. */
function attend(out: OnnxSteps, { q, k, v }: Heads, scale: number, biases: readonly Value[]): void {
  const { dtype } = q.type;
  const turned = out.transpose(k, [0, 1, 3, 2], 'key/turned');
  const products = out.one('MatMul', [q, turned], {}, 'products');
  const scores = out.two('Mul', products, out.scalar(dtype, scale, 'scale'), 'scores');
  const biased = biases.reduce((sum, bias, i) => out.two('Add', sum, bias, `biased${i}`), scores);
  const shares = out.one('Softmax', [biased], { axis: 3 }, 'shares');
  const joined = out.transpose(out.one('MatMul', [shares, v], {}, 'heads'), [0, 2, 1, 3], 'turned');
  const [batch, sequence, heads, width] = out.shape(joined);
  out.last('Reshape', [joined, out.ints([batch, sequence, heads * width], 'shape')], { allowZero: true });
}

function noPast(out: OnnxSteps, inputs: readonly number[]): void {
  if (inputs.some((index) => out.node.inputs[index]))
    out.node.refuse('keys and values of the past are not supported');
  for (const name of ['past_present_share_buffer', 'do_rotary', 'rotary_embedding_dim']) {
    if (out.node.int(name, 0) !== 0) out.node.refuse(`${name} is not supported`);
  }
}

function settings(out: OnnxSteps, size: number) {
  return {
    heads: out.node.int('num_heads', 0),
    filter: out.node.float('mask_filter_value', -10000),
    scale: out.node.float('scale', 0) || 1 / Math.sqrt(size),
    isCausal: out.node.int('unidirectional', 0) !== 0,
  };
}

function biasesOf(
  out: OnnxSteps,
  { q, k }: Heads,
  mask: Value | null | undefined,
  added: Value | null | undefined,
  { filter, isCausal }: { filter: number; isCausal: boolean },
): Value[] {
  const { dtype } = q.type;
  const [queries, keys] = [out.shape(q)[2], out.shape(k)[2]];
  return [
    ...(mask ? [maskBias(out, mask, keys, filter, dtype)] : []),
    ...(isCausal ? [causalBias(out, queries, keys, filter, dtype)] : []),
    ...(added ? [added] : []),
  ];
}

const readAttention: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  noPast(out, [4, 6]);
  const x = out.input(0);
  const width = Number(out.shape(out.input(1))[1]);
  const sizes = node.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const product = out.one('MatMul', [x, out.input(1)], {}, 'product');
  const bias = node.inputs[2];
  const all = bias ? out.two('Add', product, bias, 'projected') : product;
  const parts = builder.add(
    'Split',
    [all, out.ints(sizes, 'sizes')],
    { axis: 2 },
    { name: `${node.name}/parts` },
  );
  const heads = node.int('num_heads', 0);
  const [q, k, v] = parts.map((part, i) => byHead(out, part, heads, ['query', 'key', 'value'][i]));
  const choices = settings(out, sizes[0] / heads);
  attend(
    out,
    { q, k, v },
    choices.scale,
    biasesOf(out, { q, k, v }, node.inputs[3], node.inputs[5], choices),
  );
};

const readMultiHeadAttention: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  noPast(out, [6, 7]);
  const given = ['query', 'key', 'value'].map((what, i) => {
    const value = node.inputs[i];
    const rank = value?.type.shape.length;
    return value && rank === 3 ? value : node.refuse(`its ${what} is not [batch, sequence, features]`);
  });
  const widths = given.map((value) => out.shape(value)[2]);
  const bias = node.inputs[3];
  const shifts = bias
    ? builder.add('Split', [bias, out.ints(widths, 'sizes')], { axis: 0 }, { name: `${node.name}/biases` })
    : [];
  const heads = node.int('num_heads', 0);
  const [q, k, v] = given.map((value, i) => {
    const what = ['query', 'key', 'value'][i];
    return byHead(out, bias ? out.two('Add', value, shifts[i], `${what}/biased`) : value, heads, what);
  });
  const choices = settings(out, widths[0] / heads);
  attend(
    out,
    { q, k, v },
    choices.scale,
    biasesOf(out, { q, k, v }, node.inputs[4], node.inputs[5], choices),
  );
};

export const attentionReaders = {
  'com.microsoft::Attention': { 1: readAttention },
  'com.microsoft::MultiHeadAttention': { 1: readMultiHeadAttention },
};
