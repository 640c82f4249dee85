/** Attention and AdditiveAttention: one head, no projections. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { innerNodes, intsConstant, plain, reshapeTo, shapeOf, weightConstant } from '../keras-layers.ts';
import { causalMask, refuseUnread } from './keras-scores.ts';

/** Query, value and key of Attention and AdditiveAttention, which come in that order. */
function sidesOf(layer: KerasLayerView): { query: Value; key: Value; value: Value } {
  const [query, value, key = value] = layer.inputs;
  if (!query || !value) return layer.refuse('takes a query and a value');
  for (const side of [query, value, key]) {
    if (side.type.shape.length !== 3)
      return layer.refuse(`takes tensors of 3 axes, not ${side.type.shape.length}`);
  }
  return { query, key, value };
}

/** softmax(scores) V, with the causal mask where it is asked for. */
function seenBy(layer: KerasLayerView, builder: GraphBuilder, scores: Value, value: Value): Value {
  const node = innerNodes(layer, builder);
  const [, queries, keys] = shapeOf(layer, scores);
  let shown = scores;
  if (layer.kwargs.use_causal_mask === true || layer.config.causal === true) {
    const mask = builder.constant(
      `${layer.name}/causal_mask`,
      floatTensor([queries, keys], causalMask(queries, keys, 1)),
    );
    shown = node('Add', [scores, mask], 'causal_scores', plain);
  }
  const weights = node('Softmax', [shown], 'weights', { axis: 2 });
  return builder.one('MatMul', [weights, value], {}, { name: layer.name });
}

const attention: KerasReader = (layer, builder) => {
  refuseUnread(layer, ['use_causal_mask']);
  const { query, key, value } = sidesOf(layer);
  const node = innerNodes(layer, builder);
  if (layer.string('score_mode', 'dot') !== 'dot') return additive(layer, builder, 'concat_score_weight');
  let scores = node('MatMul', [query, node('Transpose', [key], 'key_turned', { perm: [0, 2, 1] })], 'scores');
  if (layer.boolean('use_scale', false)) {
    const scale = weightConstant(builder, `${layer.name}/scale`, layer.weight('scale', []));
    scores = node('Mul', [scores, scale], 'scaled_scores', plain);
  }
  return [seenBy(layer, builder, scores, value)];
};

/** Σ scale × tanh(query + key) over the features; Attention's `concat` mode scales the sum instead. */
function additive(
  layer: KerasLayerView,
  builder: GraphBuilder,
  mode: 'scale' | 'concat_score_weight',
): Value[] {
  const { query, key, value } = sidesOf(layer);
  const node = innerNodes(layer, builder);
  const [batch, queries, width] = shapeOf(layer, query);
  const keys = shapeOf(layer, key)[1];
  const q = reshapeTo(builder, query, [batch, queries, 1, width], `${layer.name}/query_raised`);
  const k = reshapeTo(builder, key, [batch, 1, keys, width], `${layer.name}/key_raised`);
  let sum = node('Add', [q, k], 'sum', plain);
  if (mode === 'concat_score_weight' && layer.boolean('use_scale', false)) {
    sum = node(
      'Mul',
      [sum, weightConstant(builder, `${layer.name}/scale`, layer.weight('scale', []))],
      'scaled',
      plain,
    );
  }
  let curved = node('Tanh', [sum], 'curved');
  if (mode === 'scale' && layer.boolean('use_scale', true)) {
    const scale = weightConstant(builder, `${layer.name}/scale`, layer.weight('scale', [width]));
    curved = node('Mul', [curved, scale], 'weighted', plain);
  }
  const axis = intsConstant(builder, `${layer.name}/features`, [3]);
  let scores = node('ReduceSum', [curved, axis], 'scores', { keepDims: false });
  if (mode === 'concat_score_weight') {
    const weight = weightConstant(
      builder,
      `${layer.name}/concat_score_weight`,
      layer.weight('concat_score_weight', []),
    );
    scores = node('Mul', [scores, weight], 'weighted_scores', plain);
  }
  return [seenBy(layer, builder, scores, value)];
}

export const dotAttentionKeras: KerasFacet = {
  Attention: attention,
  AdditiveAttention: (layer, builder) => {
    refuseUnread(layer, ['use_causal_mask']);
    return additive(layer, builder, 'scale');
  },
};
