/** Operators of com.microsoft against onnxruntime, which they come from. */

import { describeRows, f, floats, i, is, type Row, s, weights } from '../../testing/onnx-rows.ts';
import { tensorFrom } from '../fold-helpers.ts';

const domain = 'com.microsoft';
const ids = (shape: number[], ...values: number[]) => ({ dtype: 'int32' as const, shape, values });
const tolerance = 1e-5;

const fused: Row[] = [
  {
    op: 'FusedConv',
    opset: 13,
    domain,
    inputs: [[1, 2, 5, 5], weights(3, 2, 3, 3), weights(3), [1, 3, 5, 5]],
    attrs: { activation: s('Relu'), pads: is(1, 1, 1, 1), kernel_shape: is(3, 3) },
    tolerance,
  },
  {
    op: 'FusedConv',
    opset: 13,
    domain,
    inputs: [[1, 2, 4, 4], weights(3, 2, 1, 1)],
    attrs: { activation: s('Clip'), activation_params: { floats: [-0.25, 0.5] } },
    tolerance,
  },
  {
    op: 'FusedGemm',
    opset: 13,
    domain,
    inputs: [[2, 3], weights(4, 3), weights(4)],
    attrs: { transB: i(1), alpha: f(0.5), activation: s('LeakyRelu'), activation_alpha: f(0.3) },
  },
  {
    op: 'FusedMatMul',
    opset: 13,
    domain,
    inputs: [
      [2, 3, 4],
      [2, 5, 3],
    ],
    attrs: { transA: i(1), transB: i(1), alpha: f(0.25) },
  },
  { op: 'Gelu', opset: 13, domain, inputs: [[2, 6]] },
  { op: 'BiasGelu', opset: 13, domain, inputs: [[2, 6], weights(6)] },
  { op: 'FastGelu', opset: 13, domain, inputs: [[2, 6], weights(6)] },
  { op: 'QuickGelu', opset: 13, domain, inputs: [[2, 6]], attrs: { alpha: f(1.5) } },
  {
    op: 'SkipLayerNormalization',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], [2, 3, 8], weights(8), weights(8), weights(8)],
    attrs: { epsilon: f(1e-5) },
    tolerance,
  },
  {
    op: 'SkipSimplifiedLayerNormalization',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], [2, 3, 8], weights(8)],
    attrs: { epsilon: f(1e-5) },
    tolerance,
  },
  { op: 'SimplifiedLayerNormalization', opset: 13, inputs: [[2, 3, 8], weights(8)], tolerance },
  { op: 'LayerNormalization', opset: 13, inputs: [[2, 3, 8], weights(8), weights(8)], tolerance },
  {
    op: 'EmbedLayerNormalization',
    opset: 13,
    domain,
    inputs: [
      ids([1, 3], 4, 0, 2),
      ids([1, 3], 0, 1, 1),
      weights(5, 8),
      weights(4, 8),
      weights(2, 8),
      weights(8),
      weights(8),
    ],
    left: 1,
    attrs: { epsilon: f(1e-5) },
    tolerance,
  },
];

describeRows('fused operators', fused);

const attention: Omit<Row, 'tolerance'>[] = [
  {
    op: 'Attention',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], weights(8, 24), weights(24)],
    attrs: { num_heads: i(2) },
  },
  {
    op: 'Attention',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], weights(8, 24), weights(24), ids([2, 3], 1, 1, 0, 1, 1, 1)],
    attrs: { num_heads: i(2) },
  },
  {
    op: 'Attention',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], weights(8, 24), weights(24), ids([2], 2, 3)],
    attrs: { num_heads: i(4), mask_filter_value: f(-50) },
  },
  {
    op: 'Attention',
    opset: 13,
    domain,
    inputs: [[1, 3, 8], weights(8, 20), weights(20)],
    attrs: { num_heads: i(2), qkv_hidden_sizes: is(8, 8, 4), unidirectional: i(1) },
  },
  {
    op: 'MultiHeadAttention',
    opset: 13,
    domain,
    inputs: [[2, 3, 8], [2, 4, 8], [2, 4, 8], weights(24), ids([2, 4], 1, 1, 1, 0, 1, 0, 1, 1)],
    attrs: { num_heads: i(2) },
  },
  {
    op: 'MultiHeadAttention',
    opset: 13,
    domain,
    inputs: [
      [1, 3, 8],
      [1, 4, 8],
      [1, 4, 8],
      null,
      null,
      floats([1, 1, 3, 4], ...Array.from({ length: 12 }, (_, k) => k / 7 - 1)),
    ],
    attrs: { num_heads: i(2), scale: f(0.3) },
  },
];

describeRows(
  'attention of com.microsoft',
  attention.map((row): Row => ({ ...row, tolerance })),
);

const bytes = (dtype: 'uint8' | 'int8', ...shape: number[]) => {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const values = Array.from(
    { length: count },
    (_, k) => ((k * 37 + 11) % 200) - (dtype === 'int8' ? 100 : 0),
  );
  return tensorFrom(dtype, shape, values);
};
const fed = (dtype: 'uint8' | 'int8', ...shape: number[]) => {
  const { bytes: data } = bytes(dtype, ...shape);
  return { dtype, shape, values: [...(dtype === 'int8' ? new Int8Array(data) : data)] };
};

const integers: Row[] = [
  { op: 'DynamicQuantizeLinear', opset: 11, inputs: [[3, 4]], outputType: 'uint8', left: 2 },
  {
    op: 'MatMulInteger',
    opset: 10,
    inputs: [
      fed('uint8', 3, 4),
      bytes('int8', 4, 2),
      tensorFrom('uint8', [], [12]),
      tensorFrom('int8', [2], [3, -4]),
    ],
    outputType: 'int32',
  },
  {
    op: 'ConvInteger',
    opset: 10,
    inputs: [
      fed('uint8', 1, 2, 4, 4),
      bytes('uint8', 3, 2, 3, 3),
      tensorFrom('uint8', [], [7]),
      tensorFrom('uint8', [], [99]),
    ],
    attrs: { pads: is(1, 1, 1, 1) },
    outputType: 'int32',
  },
  {
    op: 'MatMulIntegerToFloat',
    opset: 13,
    domain,
    inputs: [
      fed('uint8', 3, 4),
      bytes('int8', 4, 2),
      floats([], 0.02),
      floats([2], 0.01, 0.03),
      tensorFrom('uint8', [], [100]),
      tensorFrom('int8', [2], [0, 0]),
      weights(2),
    ],
    tolerance,
  },
  {
    op: 'DynamicQuantizeMatMul',
    opset: 13,
    domain,
    inputs: [[3, 4], bytes('int8', 4, 2), floats([], 0.01), tensorFrom('int8', [], [5]), weights(2)],
    tolerance,
  },
  {
    op: 'DynamicQuantizeLSTM',
    opset: 13,
    domain,
    inputs: [
      [5, 1, 3],
      bytes('int8', 2, 3, 16),
      bytes('int8', 2, 4, 16),
      weights(2, 32),
      null,
      weights(2, 1, 4),
      null,
      null,
      floats([2], 0.01, 0.02),
      tensorFrom('int8', [2], [0, 0]),
      floats([2], 0.015, 0.01),
      tensorFrom('int8', [2], [0, 0]),
    ],
    attrs: { hidden_size: i(4), direction: s('bidirectional') },
    tolerance,
  },
  {
    op: 'QAttention',
    opset: 13,
    domain,
    inputs: [
      fed('uint8', 1, 3, 8),
      bytes('int8', 8, 24),
      weights(24),
      floats([], 0.01),
      floats([], 0.005),
      ids([1, 3], 1, 0, 1),
      tensorFrom('uint8', [], [90]),
      tensorFrom('int8', [], [0]),
    ],
    attrs: { num_heads: i(2) },
    tolerance,
  },
  {
    op: 'MatMulNBits',
    opset: 13,
    domain,
    inputs: [[2, 40], bytes('uint8', 3, 2, 16), weights(6), bytes('uint8', 3)],
    attrs: { K: i(40), N: i(3), bits: i(4), block_size: i(32) },
    tolerance,
  },
];

describeRows('products of integers', integers);

const scale = (value: number) => floats([], value);
const zero = (value: number) => tensorFrom('uint8', [], [value]);
const between: Omit<Row, 'outputType'>[] = [
  {
    op: 'QLinearConv',
    opset: 10,
    inputs: [
      fed('uint8', 1, 2, 4, 4),
      scale(0.02),
      zero(100),
      bytes('int8', 3, 2, 3, 3),
      floats([3], 0.01, 0.02, 0.015),
      tensorFrom('int8', [3], [0, 0, 0]),
      scale(0.3),
      zero(120),
      tensorFrom('int32', [3], [100, -200, 50]),
    ],
    attrs: { pads: is(1, 1, 1, 1) },
  },
  {
    op: 'QLinearMatMul',
    opset: 10,
    inputs: [
      fed('uint8', 3, 4),
      scale(0.02),
      zero(100),
      bytes('uint8', 4, 2),
      scale(0.01),
      zero(90),
      scale(0.05),
      zero(128),
    ],
  },
  {
    op: 'QGemm',
    opset: 13,
    domain,
    inputs: [
      fed('uint8', 3, 4),
      scale(0.02),
      zero(100),
      bytes('int8', 2, 4),
      floats([2], 0.01, 0.02),
      tensorFrom('int8', [2], [0, 0]),
      tensorFrom('int32', [2], [500, -900]),
      scale(0.1),
      zero(128),
    ],
    attrs: { transB: i(1) },
  },
  {
    op: 'QLinearAdd',
    opset: 13,
    domain,
    inputs: [
      fed('uint8', 2, 5),
      scale(0.02),
      zero(100),
      bytes('uint8', 2, 5),
      scale(0.03),
      zero(20),
      scale(0.05),
      zero(60),
    ],
  },
  {
    op: 'QLinearSigmoid',
    opset: 13,
    domain,
    inputs: [fed('uint8', 2, 5), scale(0.05), zero(100), scale(1 / 256), zero(0)],
  },
  {
    op: 'QLinearLeakyRelu',
    opset: 13,
    domain,
    inputs: [fed('uint8', 2, 5), scale(0.05), zero(100), scale(0.04), zero(30)],
    attrs: { alpha: f(0.2) },
  },
  {
    op: 'QLinearGlobalAveragePool',
    opset: 13,
    domain,
    inputs: [fed('uint8', 1, 3, 4, 4), scale(0.05), zero(100), scale(0.0213), zero(90)],
  },
  {
    op: 'QLinearConcat',
    opset: 13,
    domain,
    inputs: [
      scale(0.05),
      zero(128),
      fed('uint8', 2, 3),
      scale(0.02),
      zero(100),
      bytes('uint8', 2, 2),
      scale(0.04),
      zero(50),
    ],
    attrs: { axis: i(1) },
  },
  {
    op: 'QLinearSoftmax',
    opset: 13,
    domain,
    inputs: [fed('uint8', 2, 5), scale(0.02), zero(100), scale(1 / 256), zero(0)],
    attrs: { opset: i(13) },
  },
];

describeRows(
  'operators from integers to integers',
  between.map((row): Row => ({ ...row, outputType: 'uint8' })),
);
