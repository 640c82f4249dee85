/** Embeddings, masks, and layers that turn whole numbers into vectors. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, permute, type Tensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { argumentOf, intArgument, tensorArgument } from '../keras-arguments.ts';
import { intsConstant, onlyInput, reshapeTo, resultOf, shapeOf, weightConstant } from '../keras-layers.ts';

/** Indices as int32; Keras truncates floats. */
function asIndices(layer: KerasLayerView, builder: GraphBuilder, x: Value): Value {
  if (x.type.dtype === 'int32' || x.type.dtype === 'int64') return x;
  return builder.one('Cast', [x], { to: 'int32' }, { name: `${layer.name}/indices` });
}

function tableOf(layer: KerasLayerView): Tensor {
  return layer.weight('embeddings', [layer.int('input_dim'), layer.int('output_dim')]);
}

/** A comparison with a constant of the tensor's own type, turned round. */
function differs(layer: KerasLayerView, builder: GraphBuilder, x: Value, value: number): Value {
  const constant = builder.constant(`${layer.name}/mask_value`, tensorFrom(x.type.dtype, [], [value]));
  const same = builder.one('Equal', [x, constant], {}, { name: `${layer.name}/masked` });
  return builder.one('Not', [same], {}, { name: `${layer.name}/mask` });
}

const embedding: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const table = weightConstant(builder, `${layer.name}/embeddings`, tableOf(layer));
  const result = resultOf(layer, builder, 'Gather', [table, asIndices(layer, builder, x)], { axis: 0 });
  if (layer.boolean('mask_zero', false)) layer.setMask(result, () => differs(layer, builder, x, 0));
  return [result];
};

/** Forward an embedding; with `reverse`, the scores of all entries: x · tableᵀ. */
const reversibleEmbedding: KerasReader = (layer, builder) => {
  if (layer.kwargs.reverse !== true) return embedding(layer, builder);
  if (layer.config.logit_soft_cap != null) return layer.refuse('option logit_soft_cap is not read');
  const x = onlyInput(layer);
  const weights = layer.boolean('tie_weights', true)
    ? tableOf(layer)
    : permute(layer.weight('reverse_embeddings', [layer.int('output_dim'), layer.int('input_dim')]), [1, 0]);
  const kernel = weightConstant(builder, `${layer.name}/reverse`, weights);
  return [resultOf(layer, builder, 'FullyConnected', [x, kernel, null], { activation: 'none' })];
};

/** Sets steps whose features all equal `mask_value` to 0 and masks them. */
const masking: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const rank = x.type.shape.length;
  const seen = differs(layer, builder, x, layer.number('mask_value', 0));
  const node = (op: string, inputs: readonly Value[], suffix: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
  const numbers = node('Cast', [seen], 'mask_numbers', { to: x.type.dtype });
  const last = intsConstant(builder, `${layer.name}/features`, [rank - 1]);
  const any = node('ReduceMax', [numbers, last], 'any', { keepDims: true });
  const result = resultOf(layer, builder, 'Mul', [x, any], { activation: 'none' });
  layer.setMask(result, () => {
    const flat = reshapeTo(builder, any, shapeOf(layer, x).slice(0, -1), `${layer.name}/steps`);
    return node('Cast', [flat], 'step_mask', { to: 'bool' });
  });
  return [result];
};

/** `[…]` as `[…, depth]` with a 1 at the index. */
function oneHot(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  depth: number,
  dtype: DType,
  name: string,
): Value {
  const raised = reshapeTo(builder, x, [...shapeOf(layer, x), 1], `${layer.name}/raised`);
  const entries = tensorFrom(
    x.type.dtype,
    [depth],
    Array.from({ length: depth }, (_, i) => i),
  );
  const same = builder.one(
    'Equal',
    [raised, builder.constant(`${layer.name}/entries`, entries)],
    {},
    {
      name: `${layer.name}/same`,
    },
  );
  return builder.one('Cast', [same], { to: dtype }, { name });
}

const oneHotFunction: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 'indices');
  const depth = intArgument(layer, argumentOf(layer, 1, 'num_classes', 'depth'), 'num_classes');
  const axis = argumentOf(layer, 2, 'axis') ?? -1;
  if (axis !== -1 && axis !== x.type.shape.length)
    return layer.refuse(`puts the classes on axis ${axis}; the last is read`);
  const { on_value: on, off_value: off } = layer.kwargs;
  if ((on ?? 1) !== 1 || (off ?? 0) !== 0)
    return layer.refuse('on_value and off_value other than 1 and 0 are not read');
  const dtype = layer.config.dtype ?? layer.kwargs.dtype ?? 'float32';
  if (dtype !== 'float32' && dtype !== 'int32')
    return layer.refuse(`gives elements of type ${String(dtype)}`);
  return [oneHot(layer, builder, x, depth, dtype, layer.name)];
};

/** Whole numbers as one-hot, multi-hot or count vectors over the last axis. */
const categoryEncoding: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const depth = layer.int('num_tokens');
  const mode = layer.string('output_mode', 'multi_hot');
  if (layer.boolean('sparse', false)) return layer.refuse('option sparse is not read');
  if (layer.inputs.length > 1 || layer.kwargs.count_weights != null)
    return layer.refuse('count_weights are not read');
  if (mode === 'one_hot') {
    const flat =
      shape.length > 1 && shape.at(-1) === 1
        ? reshapeTo(builder, x, shape.slice(0, -1), `${layer.name}/flat`)
        : x;
    return [oneHot(layer, builder, flat, depth, 'float32', layer.name)];
  }
  const op = mode === 'multi_hot' ? 'ReduceMax' : mode === 'count' ? 'ReduceSum' : undefined;
  if (!op) return layer.refuse(`output_mode ${mode} is not read`);
  const each = oneHot(layer, builder, x, depth, 'float32', `${layer.name}/each`);
  const axes = intsConstant(builder, `${layer.name}/axes`, [shape.length - 1]);
  return [resultOf(layer, builder, op, [each, axes], { keepDims: false })];
};

/** The number of boundaries that are not above x. */
const discretization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const boundaries = layer.config.bin_boundaries;
  if (!Array.isArray(boundaries) || boundaries.some((item) => typeof item !== 'number')) {
    return layer.refuse('has no bin_boundaries; adapted ones are not in the file');
  }
  if (layer.string('output_mode', 'int') !== 'int')
    return layer.refuse('output_mode other than int is not read');
  const node = (op: string, inputs: readonly Value[], suffix: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
  const shape = shapeOf(layer, x);
  const raised = reshapeTo(builder, x, [...shape, 1], `${layer.name}/raised`);
  const limits = builder.constant(`${layer.name}/boundaries`, floatTensor([boundaries.length], boundaries));
  const below = node('Less', [raised, limits], 'below');
  const passed = node('Cast', [node('Not', [below], 'passed')], 'passed_numbers', { to: 'float32' });
  const axes = intsConstant(builder, `${layer.name}/axes`, [shape.length]);
  const count = node('ReduceSum', [passed, axes], 'count', { keepDims: false });
  return [resultOf(layer, builder, 'Cast', [count], { to: 'int32' })];
};

export const encodingKeras: KerasFacet = {
  Embedding: embedding,
  ReversibleEmbedding: reversibleEmbedding,
  Masking: masking,
  CategoryEncoding: categoryEncoding,
  Discretization: discretization,
  'ops.OneHot': oneHotFunction,
  'tf.one_hot': oneHotFunction,
};
