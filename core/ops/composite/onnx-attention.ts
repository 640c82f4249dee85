/** ONNX Attention (23, 24) and RotaryEmbedding (23), written out; equations of the operators' pages. */
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import { tensorOf } from '../../ir/tensor.ts';
import type { OnnxReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { indices } from '../pick-elements.ts';
import { OnnxSteps } from './onnx-steps.ts';

/** [batch, sequence, heads × size] to [batch, heads, sequence, size]; four axes are in that form already. */
function byHead(out: OnnxSteps, x: Value, heads: number, what: string): Value {
  const shape = out.shape(x);
  if (shape.length === 4) return x;
  if (shape.length !== 3) return out.node.refuse(`${what} has rank ${shape.length}; 3 and 4 are taken`);
  const [batch, sequence, width] = shape;
  if (heads < 1 || width % heads !== 0)
    return out.node.refuse(`${heads} heads do not divide the ${width} features of ${what}`);
  const split = out.reshape(x, [batch, sequence, heads, width / heads], `${what}/split`);
  return out.transpose(split, [0, 2, 1, 3], `${what}/heads`);
}

/** Each head of keys and values serves several heads of queries that stand side by side. */
function repeatHeads(out: OnnxSteps, x: Value, times: number, what: string): Value {
  if (times === 1) return x;
  const heads = out.shape(x)[1];
  const picked = indices(heads * times).map((i) => Math.floor(i / times));
  return out.one('Gather', [x, out.ints(picked, `${what}/repeat`)], { axis: 1 }, what);
}

/** 0 where a query may look, −∞ where not. */
function biasOf(out: OnnxSteps, allowed: Value, dtype: DType, what: string): Value {
  const [zero, never] = [
    out.scalar(dtype, 0, `${what}/zero`),
    out.scalar(dtype, Number.NEGATIVE_INFINITY, `${what}/never`),
  ];
  return out.one('Where', [allowed, zero, never], {}, what);
}

/** The mask as a sum term over [queries, keys]; keys that it does not reach are masked. */
function maskBias(out: OnnxSteps, mask: Value, keys: number, dtype: DType): Value {
  const bias =
    mask.type.dtype === 'bool' ? biasOf(out, mask, dtype, 'mask/bias') : out.cast(mask, dtype, 'mask/cast');
  const shape = out.shape(mask);
  const missing = keys - shape[shape.length - 1];
  if (missing === 0 || shape[shape.length - 1] === 1) return bias;
  const pads = [...shape.map(() => 0), ...shape.map((_, axis) => (axis === shape.length - 1 ? missing : 0))];
  const never = out.scalar(dtype, Number.NEGATIVE_INFINITY, 'mask/rest');
  return out.one('Pad', [bias, out.ints(pads, 'mask/pads'), never], { mode: 'constant' }, 'mask/padded');
}

/** Query i looks at keys up to i, after those of the past. */
function causalBias(out: OnnxSteps, queries: number, keys: number, past: number, dtype: DType): Value {
  const values = indices(queries * keys).map((i) =>
    (i % keys) - past > Math.floor(i / keys) ? Number.NEGATIVE_INFINITY : 0,
  );
  const bias = out.constant(tensorFrom('float32', [queries, keys], values), 'causal');
  return out.cast(bias, dtype, 'causal/cast');
}

/** Keys at or after a sequence's length are masked: [batch, 1, 1, keys]. */
function lengthBias(out: OnnxSteps, lengths: Value, keys: number, dtype: DType): Value {
  const positions = out.constant(tensorFrom('int64', [keys], indices(keys)), 'positions');
  const column = out.reshape(
    out.cast(lengths, 'int64', 'lengths'),
    [out.shape(lengths)[0], 1, 1, 1],
    'lengths/column',
  );
  return biasOf(out, out.one('Less', [positions, column], {}, 'inside'), dtype, 'lengths/bias');
}

const readAttention: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const causal = node.int('is_causal', 0) !== 0;
  const outputMode = node.int('qk_matmul_output_mode', 0);
  const softcap = node.float('softcap', 0);
  // Softmax is computed in float32 or, where LiteRT has it, in the model's own type: never in less.
  node.int('softmax_precision', 0);
  const [givenQueryHeads, givenKeyHeads] = [node.int('q_num_heads', 0), node.int('kv_num_heads', 0)];
  const { dtype } = out.input(0).type;
  const rank = out.input(0).type.shape.length;
  const q = byHead(out, out.input(0), givenQueryHeads, 'query');
  const join = (past: Value | null | undefined, now: Value, what: string) =>
    past ? out.concat([past, now], 2, what) : now;
  const pastKeys = node.inputs[4];
  const k = join(pastKeys, byHead(out, out.input(1), givenKeyHeads, 'key'), 'keys');
  const v = join(node.inputs[5], byHead(out, out.input(2), givenKeyHeads, 'value'), 'values');
  out.give(k, 1);
  out.give(v, 2);
  const [, queryHeads, queries, size] = out.shape(q);
  const [, keyHeads, keys] = out.shape(k);
  if (queryHeads % keyHeads !== 0)
    node.refuse(`${keyHeads} heads of keys do not divide ${queryHeads} of queries`);
  const times = queryHeads / keyHeads;

  const root = out.scalar(dtype, Math.sqrt(node.float('scale', 1 / Math.sqrt(size))), 'scale');
  const scaledQ = out.two('Mul', q, root, 'query/scaled');
  const turned = out.transpose(repeatHeads(out, k, times, 'keys/repeated'), [0, 1, 3, 2], 'keys/turned');
  const products = out.one('MatMul', [scaledQ, out.two('Mul', turned, root, 'keys/scaled')], {}, 'products');
  const biases: Value[] = [];
  if (node.inputs[3]) biases.push(maskBias(out, node.inputs[3], keys, dtype));
  const past = pastKeys ? out.shape(pastKeys)[2] : 0;
  if (causal) biases.push(causalBias(out, queries, keys, past, dtype));
  if (node.inputs[6]) biases.push(lengthBias(out, node.inputs[6], keys, dtype));
  const biased = biases.reduce((sum, bias, i) => out.two('Add', sum, bias, `biased${i}`), products);
  let capped = biased;
  if (softcap > 0) {
    const limit = out.scalar(dtype, softcap, 'softcap');
    const squashed = out.one('Tanh', [out.two('Div', biased, limit, 'shrunk')], {}, 'squashed');
    capped = out.two('Mul', squashed, limit, 'capped');
  }
  const shares = out.one('Softmax', [capped], { axis: 3 }, 'shares');
  out.give(
    [products, biased, capped, shares][outputMode] ??
      node.refuse(`qk_matmul_output_mode = ${outputMode} is not known`),
    3,
  );
  const result = [shares, repeatHeads(out, v, times, 'values/repeated')];
  if (rank === 4) {
    out.last('MatMul', result);
    return;
  }
  const joined = out.transpose(out.one('MatMul', result, {}, 'heads'), [0, 2, 1, 3], 'heads/turned');
  const [batch, sequence, heads, width] = out.shape(joined);
  out.last('Reshape', [joined, out.ints([batch, sequence, heads * width], 'shape')], { allowZero: true });
};

const readRotaryEmbedding: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const interleaved = node.int('interleaved', 0) !== 0;
  const x = out.input(0);
  const shape = out.shape(x);
  // [batch, sequence, heads, size]
  const heads = node.int('num_heads', 0);
  if (shape.length === 3 && (heads < 1 || shape[2] % heads !== 0))
    node.refuse(`${heads} heads do not divide ${shape[2]} features`);
  const split =
    shape.length === 4
      ? out.transpose(x, [0, 2, 1, 3], 'by_position')
      : out.reshape(x, [shape[0], shape[1], heads, shape[2] / heads], 'by_head');
  const [batch, sequence, count, size] = out.shape(split);
  const rotated = node.int('rotary_embedding_dim', 0) || size;
  const half = rotated / 2;
  const positions = node.inputs[3];
  const cache = (index: number, what: string): Value => {
    const table = out.input(index);
    const rows = positions ? out.one('Gather', [table, positions], { axis: 0 }, `${what}/rows`) : table;
    const [rowBatch, rowLength] = out.shape(rows);
    return out.reshape(rows, [rowBatch, rowLength, 1, half], what);
  };
  const [cosine, sine] = [cache(1, 'cos'), cache(2, 'sin')];
  const turning = rotated === size ? split : out.slice(split, 3, 0, rotated, 1, 'turning');
  const [step, second] = interleaved ? [2, 1] : [1, half];
  const first = out.slice(turning, 3, 0, interleaved ? rotated : half, step, 'first');
  const other = out.slice(turning, 3, second, rotated, step, 'second');
  const mixed = (op: 'Add' | 'Sub', a: Value, b: Value, what: string) =>
    out.two(op, out.two('Mul', a, first, `${what}/a`), out.two('Mul', b, other, `${what}/b`), what);
  const [real, imaginary] = [mixed('Sub', cosine, sine, 'real'), mixed('Add', sine, cosine, 'imaginary')];
  let turned: Value;
  if (interleaved) {
    const column = (value: Value, what: string) =>
      out.reshape(value, [batch, sequence, count, half, 1], what);
    const pairs = out.concat(
      [column(real, 'real/column'), column(imaginary, 'imaginary/column')],
      4,
      'pairs',
    );
    turned = out.reshape(pairs, [batch, sequence, count, rotated], 'turned');
  } else turned = out.concat([real, imaginary], 3, 'turned');
  const whole =
    rotated === size
      ? turned
      : out.concat([turned, out.slice(split, 3, rotated, size, 1, 'kept')], 3, 'whole');
  if (shape.length === 4) out.last('Transpose', [whole], { perm: [0, 2, 1, 3] });
  else out.last('Reshape', [whole, out.ints(shape, 'shape')], { allowZero: true });
};

/** A mask of booleans that are known beforehand. */
export function boolConstant(
  out: OnnxSteps,
  shape: readonly number[],
  values: readonly boolean[],
  what: string,
): Value {
  return out.constant(tensorOf('bool', shape, Uint8Array.from(values, Number)), what);
}

export const attentionReaders = {
  Attention: { 23: readAttention },
  RotaryEmbedding: { 23: readRotaryEmbedding },
};
