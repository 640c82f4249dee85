/** Attention layers with heads of Keras, written out in matrix products. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, permute } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader, KerasWeights } from '../facets.ts';
import { isTensor } from '../keras-arguments.ts';
import {
  axisOf,
  innerNodes,
  plain,
  reshapeTo,
  scalarConstant,
  shapeOf,
  weightConstant,
} from '../keras-layers.ts';
import { causalMask, hidden, refuseUnread } from './keras-scores.ts';

/** `x · kernel + bias` with the heads' axes of the kernel merged: `[…, heads × size]`. */
function projection(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  weights: KerasWeights,
  { inputs, outputs, rank }: { inputs: readonly number[]; outputs: readonly number[]; rank: number },
  suffix: string,
): Value {
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const shape = [...inputs, ...outputs];
  if (shape.length !== rank) layer.refuse(`its ${suffix} kernel does not have ${rank} axes`);
  const kernel = weights.weight('kernel', shape);
  const flat = permute({ ...kernel, shape: [product(inputs), product(outputs)] }, [1, 0]);
  const bias = layer.boolean('use_bias', true) ? weights.weight('bias', outputs) : undefined;
  return builder.one(
    'FullyConnected',
    [
      x,
      weightConstant(builder, `${layer.name}/${suffix}/kernel`, flat),
      bias
        ? weightConstant(builder, `${layer.name}/${suffix}/bias`, { ...bias, shape: [product(outputs)] })
        : null,
    ],
    plain,
    { name: suffix === 'output' ? layer.name : `${layer.name}/${suffix}` },
  );
}

interface HeadPlan {
  /** Heads of keys and values. */
  readonly groups: number;
  /** Query heads that share one head of keys and values. */
  readonly repeats: number;
  readonly keySize: number;
  readonly valueSize: number;
}

/**
 * softmax(Q Kᵀ / √size + mask) V per head, over tensors `[batch, time, features]`. Query heads that share keys stand
 * as further rows of one matrix.
 */
function attend(
  layer: KerasLayerView,
  builder: GraphBuilder,
  [query, key, value]: readonly [Value, Value, Value],
  { groups, repeats, keySize, valueSize }: HeadPlan,
): Value {
  const node = innerNodes(layer, builder);
  const [batch, queries, width] = shapeOf(layer, query);
  const [, keys, keyWidth] = shapeOf(layer, key);
  const valueWidth = shapeOf(layer, value)[2];
  const part = (name: string) => layer.part(`${name}_dense`, name, 'EinsumDense');
  const project = (x: Value, name: string, inputs: number, heads: number, size: number) =>
    projection(layer, builder, x, part(name), { inputs: [inputs], outputs: [heads, size], rank: 3 }, name);
  const heads = groups * repeats;

  const scale = scalarConstant(builder, `${layer.name}/scale`, 1 / Math.sqrt(keySize));
  const scaled = node('Mul', [project(query, 'query', width, heads, keySize), scale], 'query_scaled', plain);
  const q = repeats === 1 ? byHead(scaled, queries, heads, keySize, 'query') : shared(scaled);
  const k = byHead(
    project(key, 'key', keyWidth, groups, keySize),
    keys,
    groups,
    keySize,
    'key',
    [0, 2, 3, 1],
  );
  const v = byHead(project(value, 'value', valueWidth, groups, valueSize), keys, groups, valueSize, 'value');

  const scores = masked(layer, builder, node('MatMul', [q, k], 'scores'), queries, keys, repeats);
  const weights = node('Softmax', [scores], 'weights', { axis: 3 });
  const seen = node('MatMul', [weights, v], 'seen');
  const back =
    repeats === 1
      ? node('Transpose', [seen], 'joined', { perm: [0, 2, 1, 3] })
      : node(
          'Transpose',
          [reshapeTo(builder, seen, [batch, groups, repeats, queries, valueSize], `${layer.name}/apart`)],
          'joined',
          { perm: [0, 3, 1, 2, 4] },
        );
  return reshapeTo(builder, back, [batch, queries, heads * valueSize], `${layer.name}/merged`);

  function byHead(
    x: Value,
    time: number,
    count: number,
    size: number,
    name: string,
    perm = [0, 2, 1, 3],
  ): Value {
    const split = reshapeTo(builder, x, [batch, time, count, size], `${layer.name}/${name}_split`);
    return node('Transpose', [split], `${name}_heads`, { perm });
  }

  function shared(x: Value): Value {
    const split = reshapeTo(
      builder,
      x,
      [batch, queries, groups, repeats, keySize],
      `${layer.name}/query_split`,
    );
    const turned = node('Transpose', [split], 'query_heads', { perm: [0, 2, 3, 1, 4] });
    return reshapeTo(
      builder,
      turned,
      [batch, groups, repeats * queries, keySize],
      `${layer.name}/query_rows`,
    );
  }
}

function masked(
  layer: KerasLayerView,
  builder: GraphBuilder,
  scores: Value,
  queries: number,
  keys: number,
  repeats: number,
): Value {
  const node = innerNodes(layer, builder);
  let result = scores;
  if (layer.kwargs.use_causal_mask === true) {
    const mask = floatTensor([repeats * queries, keys], causalMask(queries, keys, repeats));
    result = node(
      'Add',
      [result, builder.constant(`${layer.name}/causal_mask`, mask)],
      'causal_scores',
      plain,
    );
  }
  const given = layer.kwargs.attention_mask;
  if (!isTensor(given)) return result;
  if (repeats > 1) return layer.refuse('argument attention_mask is not read');
  const shape = shapeOf(layer, given);
  const numbers = node('Cast', [given], 'mask_numbers', { to: 'float32' });
  const one = scalarConstant(builder, `${layer.name}/one`, 1);
  const inverted = node('Sub', [one, numbers], 'mask_inverted', plain);
  const large = scalarConstant(builder, `${layer.name}/hidden`, hidden);
  const penalty = node('Mul', [inverted, large], 'mask_penalty', plain);
  const spread = shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape;
  const aligned = reshapeTo(builder, penalty, spread, `${layer.name}/mask_aligned`);
  return node('Add', [result, aligned], 'masked_scores', plain);
}

/** Attention over some axes of a tensor of more than three: the others go into the batch. */
interface Folding {
  readonly fold: (x: Value, suffix: string) => Value;
  readonly unfold: (x: Value, suffix: string) => Value;
  readonly isPlain: boolean;
}

function folding(layer: KerasLayerView, builder: GraphBuilder, query: Value): Folding {
  const shape = shapeOf(layer, query);
  const rank = shape.length;
  const option = layer.config.attention_axes;
  const inner = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const axes =
    option == null
      ? inner
      : (Array.isArray(option) ? option : [option]).map((axis) => axisOf(layer, Number(axis), rank));
  const free = inner.filter((axis) => !axes.includes(axis));
  const perm = [0, ...free, ...axes, rank - 1];
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const turn = (x: Value, order: readonly number[], suffix: string) =>
    order.every((axis, i) => axis === i)
      ? x
      : builder.one('Transpose', [x], { perm: order }, { name: `${layer.name}/${suffix}` });
  return {
    isPlain: rank === 3,
    fold(x, suffix) {
      const sizes = shapeOf(layer, x);
      if (sizes.length !== rank) return layer.refuse('query, key and value have different numbers of axes');
      const turned = turn(x, perm, `${suffix}_turned`);
      const batch = product([sizes[0], ...free.map((axis) => sizes[axis])]);
      const time = product(axes.map((axis) => sizes[axis]));
      return reshapeTo(builder, turned, [batch, time, sizes[rank - 1]], `${layer.name}/${suffix}_folded`);
    },
    unfold(x, suffix) {
      const width = shapeOf(layer, x)[2];
      const spread = [...perm.slice(0, -1).map((axis) => shape[axis]), width];
      const apart = reshapeTo(builder, x, spread, `${layer.name}/${suffix}_apart`);
      return turn(
        apart,
        perm.map((_, axis) => perm.indexOf(axis)),
        `${suffix}_unfolded`,
      );
    },
  };
}

function multiHead(plan: (layer: KerasLayerView) => HeadPlan): KerasReader {
  return (layer, builder) => {
    refuseUnread(layer, ['use_causal_mask', 'attention_mask', 'value', 'key']);
    const query = layer.inputs[0];
    const named = (name: string) => (isTensor(layer.kwargs[name]) ? layer.kwargs[name] : undefined);
    const value = layer.inputs[1] ?? named('value');
    if (!query || !value) return layer.refuse('takes a query and a value');
    const key = layer.inputs[2] ?? named('key') ?? value;
    const heads = plan(layer);
    const { fold, unfold, isPlain } = folding(layer, builder, query);
    const sides = isPlain
      ? ([query, key, value] as const)
      : ([fold(query, 'query'), fold(key, 'key'), fold(value, 'value')] as const);
    const seen = attend(layer, builder, sides, heads);
    const merged = isPlain ? seen : unfold(seen, 'seen');
    const { output_shape: wanted } = layer.config;
    const width =
      wanted == null ? shapeOf(layer, query).at(-1)! : Number(Array.isArray(wanted) ? wanted[0] : wanted);
    const output = layer.part('output_dense', 'attention_output', 'EinsumDense');
    const inputs = [heads.groups * heads.repeats, heads.valueSize];
    return [projection(layer, builder, merged, output, { inputs, outputs: [width], rank: 3 }, 'output')];
  };
}

const grouped = multiHead((layer) => {
  const groups = layer.int('num_key_value_heads');
  const heads = layer.int('num_query_heads');
  if (heads % groups !== 0) return layer.refuse(`${groups} key heads do not divide ${heads} query heads`);
  const size = layer.int('head_dim');
  return { groups, repeats: heads / groups, keySize: size, valueSize: size };
});

export const attentionKeras: KerasFacet = {
  MultiHeadAttention: multiHead((layer) => ({
    groups: layer.int('num_heads'),
    repeats: 1,
    keySize: layer.int('key_dim'),
    valueSize: layer.int('value_dim', layer.int('key_dim')),
  })),
  GroupQueryAttention: grouped,
  GroupedQueryAttention: grouped,
};
