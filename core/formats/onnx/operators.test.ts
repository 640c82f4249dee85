/** Every operator reader, in the opsets in which its form differs, against onnxruntime on the original file. */
import { describe, it } from 'vitest';
import { floatTensor, int64Tensor, type Tensor, tensorOf } from '../../ir/tensor.ts';
import type { OnnxAttr } from '../../ops/facets.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import { checkReadAndWrite, type TestInput, type TestModel } from './onnx-test-model.ts';

interface Row {
  op: string;
  opset: number;
  /** Numbers are shapes of float inputs; tensors are initializers; null leaves an input out. */
  inputs: readonly (readonly number[] | TestInput | Tensor | null)[];
  attrs?: Record<string, OnnxAttr>;
  outputs?: number;
  outputType?: TestModel['outputs'][string];
  tolerance?: number;
  note?: string;
}

const i = (int: number): OnnxAttr => ({ int });
const is = (...ints: number[]): OnnxAttr => ({ ints });
const f = (float: number): OnnxAttr => ({ float });
const s = (string: string): OnnxAttr => ({ string });
const int64 = (...values: number[]): Tensor => int64Tensor([values.length], values);
const scalar = (value: number): Tensor => floatTensor([], [value]);
const scalar64 = (value: number): Tensor => int64Tensor([], [value]);
const floats = (shape: number[], ...values: number[]): Tensor => floatTensor(shape, values);
const bools = (...values: number[]): TestInput => ({ dtype: 'bool', shape: [values.length], values });
const weights = (...shape: number[]): Tensor => {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return floatTensor(
    shape,
    Array.from({ length: count }, (_, k) => Math.sin(k * 1.7 + 0.3)),
  );
};

const spatial: Row[] = [
  {
    op: 'Conv',
    opset: 7,
    inputs: [[1, 3, 7, 6], weights(4, 3, 3, 3), weights(4)],
    attrs: { pads: is(1, 0, 2, 1), strides: is(2, 1) },
  },
  {
    op: 'Conv',
    opset: 11,
    inputs: [[1, 2, 8, 7], weights(4, 1, 3, 2)],
    attrs: { auto_pad: s('SAME_UPPER'), strides: is(2, 3), group: i(2) },
  },
  {
    op: 'Conv',
    opset: 11,
    inputs: [[1, 2, 8, 7], weights(4, 2, 3, 2)],
    attrs: { auto_pad: s('SAME_LOWER'), strides: is(2, 2) },
  },
  {
    op: 'Conv',
    opset: 11,
    inputs: [[1, 2, 9], weights(3, 2, 3)],
    attrs: { auto_pad: s('VALID'), kernel_shape: is(3) },
    note: 'one axis',
  },
  {
    op: 'Conv',
    opset: 22,
    inputs: [[1, 2, 4, 5, 4], weights(3, 2, 2, 2, 2), weights(3)],
    note: 'three axes',
  },
  {
    op: 'ConvTranspose',
    opset: 11,
    inputs: [[1, 3, 5, 4], weights(3, 2, 3, 3), weights(2)],
    attrs: { strides: is(2, 2), output_padding: is(1, 1), pads: is(1, 1, 1, 1) },
  },
  {
    op: 'ConvTranspose',
    opset: 11,
    inputs: [[1, 2, 4, 4], weights(2, 1, 3, 3)],
    attrs: { strides: is(2, 2), output_shape: is(10, 8) },
  },
  {
    op: 'ConvTranspose',
    opset: 11,
    inputs: [[1, 2, 4, 4], weights(2, 1, 3, 3)],
    attrs: { strides: is(2, 2), auto_pad: s('SAME_UPPER') },
  },
  {
    op: 'ConvTranspose',
    opset: 11,
    inputs: [[1, 4, 4, 4], weights(4, 2, 2, 2)],
    attrs: { group: i(2), dilations: is(2, 2) },
  },
  {
    op: 'MaxPool',
    opset: 8,
    inputs: [[1, 2, 7, 7]],
    attrs: { kernel_shape: is(3, 3), strides: is(2, 2), pads: is(1, 1, 1, 1) },
  },
  {
    op: 'MaxPool',
    opset: 12,
    inputs: [[1, 2, 8, 8]],
    attrs: { kernel_shape: is(3, 2), strides: is(2, 2), ceil_mode: i(1), dilations: is(1, 2) },
  },
  {
    op: 'AveragePool',
    opset: 7,
    inputs: [[1, 2, 7, 7]],
    attrs: { kernel_shape: is(3, 3), pads: is(1, 1, 1, 1), count_include_pad: i(1) },
  },
  {
    op: 'AveragePool',
    opset: 11,
    inputs: [[1, 2, 7, 7]],
    attrs: { kernel_shape: is(3, 3), auto_pad: s('SAME_UPPER'), strides: is(2, 2) },
  },
  { op: 'GlobalAveragePool', opset: 7, inputs: [[1, 3, 5, 4]] },
  { op: 'GlobalMaxPool', opset: 7, inputs: [[1, 3, 5, 4]] },
  {
    op: 'BatchNormalization',
    opset: 9,
    inputs: [[1, 3, 4, 4], weights(3), weights(3), weights(3), floats([3], 0.5, 1, 2)],
    attrs: { epsilon: f(0.01), momentum: f(0.9) },
  },
  {
    op: 'BatchNormalization',
    opset: 15,
    inputs: [[2, 3], weights(3), weights(3), weights(3), floats([3], 0.5, 1, 2)],
  },
  {
    op: 'InstanceNormalization',
    opset: 6 + 1,
    inputs: [[2, 3, 4, 4], weights(3), weights(3)],
    tolerance: 1e-5,
  },
  { op: 'LayerNormalization', opset: 17, inputs: [[2, 3, 8], weights(8), weights(8)], tolerance: 1e-5 },
  {
    op: 'LayerNormalization',
    opset: 17,
    inputs: [[2, 3, 8], weights(3, 8)],
    attrs: { axis: i(1), epsilon: f(1e-3) },
    tolerance: 1e-5,
  },
  { op: 'DepthToSpace', opset: 10, inputs: [[1, 8, 2, 3]], attrs: { blocksize: i(2) } },
  { op: 'DepthToSpace', opset: 13, inputs: [[1, 8, 2, 3]], attrs: { blocksize: i(2), mode: s('CRD') } },
  { op: 'SpaceToDepth', opset: 13, inputs: [[1, 2, 4, 6]], attrs: { blocksize: i(2) } },
  {
    op: 'Upsample',
    opset: 7,
    inputs: [[1, 2, 3, 3]],
    attrs: { scales: { floats: [1, 1, 2, 3] }, mode: s('nearest') },
  },
  { op: 'Upsample', opset: 9, inputs: [[1, 2, 3, 3], floats([4], 1, 1, 2, 2)], attrs: { mode: s('linear') } },
  {
    op: 'Resize',
    opset: 10,
    inputs: [[1, 2, 3, 4], floats([4], 1, 1, 2, 1.5)],
    attrs: { mode: s('nearest') },
  },
  {
    op: 'Resize',
    opset: 11,
    inputs: [[1, 2, 3, 4], floats([0]), floats([4], 1, 1, 2.4, 1.7)],
    attrs: { mode: s('linear'), coordinate_transformation_mode: s('asymmetric') },
    tolerance: 1e-5,
  },
  {
    op: 'Resize',
    opset: 13,
    inputs: [[1, 2, 4, 4], null, null, int64(1, 2, 7, 9)],
    attrs: { mode: s('linear'), coordinate_transformation_mode: s('align_corners') },
    tolerance: 1e-5,
  },
  {
    op: 'Resize',
    opset: 13,
    inputs: [[1, 2, 4, 4], null, null, int64(1, 2, 7, 9)],
    attrs: { mode: s('cubic'), cubic_coeff_a: f(-0.5) },
    tolerance: 1e-5,
  },
  {
    op: 'Resize',
    opset: 18,
    inputs: [[1, 2, 4, 4], null, null, int64(6, 2)],
    attrs: {
      axes: is(2, 3),
      nearest_mode: s('ceil'),
      coordinate_transformation_mode: s('pytorch_half_pixel'),
    },
  },
];

const dense: Row[] = [
  { op: 'Gemm', opset: 7, inputs: [[2, 3], weights(3, 4), weights(4)] },
  { op: 'Gemm', opset: 11, inputs: [[2, 3], weights(4, 3)], attrs: { transB: i(1) } },
  { op: 'Gemm', opset: 13, inputs: [[2, 3], weights(4, 3), weights(1, 4)], attrs: { transB: i(1) } },
  { op: 'Gemm', opset: 13, inputs: [[2, 3], weights(3, 4), scalar(0.5)], note: 'bias of one number' },
  {
    op: 'Gemm',
    opset: 13,
    inputs: [[3, 2], weights(3, 4), weights(2, 1)],
    attrs: { transA: i(1), alpha: f(0.5), beta: f(2) },
    note: 'general',
  },
  { op: 'MatMul', opset: 9, inputs: [[2, 3, 4], weights(4, 5)], tolerance: 1e-5 },
  {
    op: 'MatMul',
    opset: 13,
    inputs: [
      [2, 3, 4],
      [2, 4, 2],
    ],
  },
  { op: 'MatMul', opset: 13, inputs: [[4], [4, 2]], note: 'vector' },
];

const functions: Row[] = [
  ...[
    'Relu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Softsign',
    'Abs',
    'Neg',
    'Exp',
    'Floor',
    'Ceil',
    'Sin',
    'Cos',
    'Identity',
  ].map((op): Row => ({ op, opset: 7, inputs: [[2, 3]], tolerance: 1e-5 })),
  ...['Erf', 'Round'].map((op): Row => ({ op, opset: 13, inputs: [[2, 3]], tolerance: 1e-5 })),
  ...['Log', 'Sqrt', 'Reciprocal'].map(
    (op): Row => ({ op, opset: 13, inputs: [{ shape: [4], values: [0.25, 1, 2, 9] }] }),
  ),
  { op: 'LeakyRelu', opset: 7, inputs: [[2, 3]], attrs: { alpha: f(0.3) } },
  { op: 'Elu', opset: 7, inputs: [[2, 3]] },
  { op: 'Selu', opset: 7, inputs: [[2, 3]] },
  { op: 'Celu', opset: 12, inputs: [[2, 3]], attrs: { alpha: f(0.5) }, tolerance: 1e-5 },
  { op: 'ThresholdedRelu', opset: 10, inputs: [[2, 3]], attrs: { alpha: f(0.25) } },
  { op: 'HardSigmoid', opset: 7, inputs: [[2, 3]], attrs: { alpha: f(1 / 6) } },
  { op: 'HardSwish', opset: 14, inputs: [[2, 3]] },
  { op: 'Mish', opset: 18, inputs: [[2, 3]], tolerance: 1e-5 },
  { op: 'Gelu', opset: 20, inputs: [[2, 3]], attrs: { approximate: s('tanh') }, tolerance: 1e-5 },
  { op: 'PRelu', opset: 9, inputs: [[1, 3, 2, 2], weights(3, 1, 1)] },
  { op: 'Clip', opset: 7, inputs: [[2, 3]], attrs: { min: f(-0.25), max: f(0.5) } },
  { op: 'Clip', opset: 7, inputs: [[2, 3]], attrs: { max: f(0.5) } },
  { op: 'Clip', opset: 11, inputs: [[2, 3], null, scalar(0.25)] },
  { op: 'Clip', opset: 13, inputs: [[2, 3], scalar(-0.5), scalar(0.25)] },
  { op: 'Softmax', opset: 7, inputs: [[2, 3, 4]], attrs: { axis: i(1) }, note: 'flattened' },
  { op: 'Softmax', opset: 11, inputs: [[2, 3, 4]], attrs: { axis: i(2) } },
  { op: 'Softmax', opset: 13, inputs: [[2, 3, 4]], attrs: { axis: i(1) } },
  { op: 'LogSoftmax', opset: 13, inputs: [[2, 3]], tolerance: 1e-5 },
  { op: 'Dropout', opset: 7, inputs: [[2, 3]], attrs: { ratio: f(0.4) } },
  { op: 'Dropout', opset: 13, inputs: [[2, 3], scalar(0.4)] },
];

const arithmetic: Row[] = [
  ...['Add', 'Sub', 'Mul', 'Div'].map(
    (op): Row => ({
      op,
      opset: 7,
      inputs: [
        [2, 1, 3],
        [4, 1],
      ],
    }),
  ),
  ...['Max', 'Min', 'Sum', 'Mean'].map((op): Row => ({ op, opset: 8, inputs: [[2, 3], [3], [2, 1]] })),
  { op: 'Max', opset: 13, inputs: [[2, 3]], note: 'one input' },
  { op: 'Pow', opset: 13, inputs: [{ shape: [3], values: [1, 2, 3] }, scalar(2)] },
  {
    op: 'Mod',
    opset: 13,
    inputs: [
      { dtype: 'int64', shape: [4], values: [7, -7, 5, -5] },
      { dtype: 'int64', shape: [4], values: [3, 3, -3, -3] },
    ],
    outputType: 'int64',
  },
  { op: 'Mod', opset: 13, inputs: [{ shape: [2], values: [5.5, -5.5] }, scalar(2)], attrs: { fmod: i(1) } },
  ...['Equal', 'Greater', 'Less'].map(
    (op): Row => ({
      op,
      opset: 13,
      inputs: [{ shape: [3], values: [1, 2, 3] }, scalar(2)],
      outputType: 'bool',
    }),
  ),
  ...['GreaterOrEqual', 'LessOrEqual'].map(
    (op): Row => ({
      op,
      opset: 16,
      inputs: [{ shape: [4], values: [1, 2, 3, Number.NaN] }, scalar(2)],
      outputType: 'bool',
    }),
  ),
  ...['And', 'Or', 'Xor'].map(
    (op): Row => ({ op, opset: 7, inputs: [bools(0, 0, 1, 1), bools(0, 1, 0, 1)], outputType: 'bool' }),
  ),
  { op: 'Not', opset: 7, inputs: [bools(0, 1)], outputType: 'bool' },
  { op: 'Where', opset: 9, inputs: [bools(0, 1, 1), [2, 3], [3]] },
  {
    op: 'Cast',
    opset: 9,
    inputs: [{ shape: [3], values: [1.7, -1.7, 0] }],
    attrs: { to: i(6) },
    outputType: 'int32',
  },
  {
    op: 'CastLike',
    opset: 15,
    inputs: [{ shape: [3], values: [1.7, -1.7, 0] }, int64(1)],
    outputType: 'int64',
  },
  { op: 'Sign', opset: 13, inputs: [{ shape: [3], values: [1.5, -2, 0] }] },
  { op: 'IsNaN', opset: 13, inputs: [{ shape: [2], values: [1, Number.NaN] }], outputType: 'bool' },
];

const reductions: Row[] = [
  ...[
    'ReduceMean',
    'ReduceSum',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceL1',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceLogSumExp',
  ].flatMap((op): Row[] => [
    { op, opset: 11, inputs: [[2, 3, 4]], attrs: { axes: is(1, -1), keepdims: i(0) }, tolerance: 1e-5 },
    { op, opset: 18, inputs: [[2, 3, 4], int64(1)], tolerance: 1e-5 },
    { op, opset: 11, inputs: [[2, 3]], tolerance: 1e-5, note: 'all axes' },
  ]),
  { op: 'ReduceSum', opset: 13, inputs: [[2, 3], int64(0)], attrs: { keepdims: i(0) } },
  {
    op: 'ReduceSum',
    opset: 13,
    inputs: [[2, 3]],
    attrs: { noop_with_empty_axes: i(1) },
    note: 'nothing to do',
  },
  { op: 'ArgMax', opset: 11, inputs: [[2, 5]], attrs: { axis: i(-1), keepdims: i(0) }, outputType: 'int64' },
  { op: 'ArgMin', opset: 13, inputs: [[2, 5]], outputType: 'int64' },
];

const shapes: Row[] = [
  { op: 'Reshape', opset: 7, inputs: [[2, 3, 4], int64(0, -1)] },
  { op: 'Flatten', opset: 9, inputs: [[2, 3, 4]], attrs: { axis: i(2) } },
  { op: 'Flatten', opset: 13, inputs: [[2, 3, 4]], attrs: { axis: i(-1) } },
  { op: 'Flatten', opset: 13, inputs: [[2, 3, 4]], attrs: { axis: i(0) } },
  { op: 'Transpose', opset: 7, inputs: [[2, 3, 4]] },
  { op: 'Transpose', opset: 13, inputs: [[2, 3, 4]], attrs: { perm: is(1, 2, 0) } },
  { op: 'Squeeze', opset: 7, inputs: [[1, 3, 1]], attrs: { axes: is(0) } },
  { op: 'Squeeze', opset: 13, inputs: [[1, 3, 1]] },
  { op: 'Unsqueeze', opset: 11, inputs: [[2, 3]], attrs: { axes: is(0, -1) } },
  { op: 'Unsqueeze', opset: 13, inputs: [[2, 3], int64(1)] },
  { op: 'Concat', opset: 7, inputs: [[2, 3], [2, 1], weights(2, 2)], attrs: { axis: i(-1) } },
  { op: 'Split', opset: 7, inputs: [[2, 6]], attrs: { axis: i(1), split: is(1, 2, 3) }, outputs: 3 },
  { op: 'Split', opset: 13, inputs: [[6, 2]], outputs: 3 },
  { op: 'Split', opset: 18, inputs: [[7, 2]], attrs: { num_outputs: i(3) }, outputs: 3 },
  {
    op: 'Slice',
    opset: 7,
    inputs: [[4, 5]],
    attrs: { starts: is(1, -3), ends: is(3, 9_007_199_254_740_991), axes: is(0, 1) },
  },
  { op: 'Slice', opset: 10, inputs: [[4, 5], int64(3, 0), int64(-9, 5), int64(0, 1), int64(-2, 2)] },
  { op: 'Slice', opset: 13, inputs: [[4, 5], int64(1), int64(-1)] },
  { op: 'Pad', opset: 7, inputs: [[2, 3]], attrs: { pads: is(0, 1, 2, 0), value: f(0.5) } },
  ...['constant', 'reflect', 'edge'].map(
    (mode): Row => ({ op: 'Pad', opset: 13, inputs: [[3, 4], int64(1, 2, 0, 3)], attrs: { mode: s(mode) } }),
  ),
  { op: 'Pad', opset: 18, inputs: [[3, 4], int64(1, 2), scalar(7), int64(-1)] },
  { op: 'Pad', opset: 19, inputs: [[3, 4], int64(1, 2, 0, 3)], attrs: { mode: s('wrap') } },
  { op: 'Gather', opset: 7, inputs: [[4, 3], int64Tensor([2, 2], [0, 3, 1, 1])] },
  { op: 'Gather', opset: 13, inputs: [[4, 3], scalar64(-1)], attrs: { axis: i(1) } },
  { op: 'GatherElements', opset: 13, inputs: [[3, 3], int64Tensor([2, 3], [0, 2, 1, -1, 0, 0])] },
  { op: 'GatherND', opset: 13, inputs: [[2, 3, 4], int64Tensor([2, 2], [0, 1, 1, 2])] },
  { op: 'ScatterElements', opset: 16, inputs: [[3, 3], int64Tensor([2, 3], [0, 2, 1, 1, 0, 2]), [2, 3]] },
  { op: 'ScatterND', opset: 13, inputs: [[4, 2], int64Tensor([2, 1], [3, 0]), [2, 2]] },
  { op: 'Expand', opset: 8, inputs: [[3, 1], int64(2, 1, 4)] },
  { op: 'Tile', opset: 7, inputs: [[2, 3], int64(2, 1)] },
  { op: 'Shape', opset: 7, inputs: [[2, 3]], outputType: 'int64' },
  { op: 'Shape', opset: 15, inputs: [[2, 3, 4]], attrs: { start: i(1), end: i(-1) }, outputType: 'int64' },
  { op: 'Size', opset: 13, inputs: [[2, 3]], outputType: 'int64' },
  {
    op: 'ConstantOfShape',
    opset: 9,
    inputs: [int64(2, 2)],
    attrs: { value: { tensor: int64Tensor([1], [7]) } },
    outputType: 'int64',
  },
  { op: 'Range', opset: 11, inputs: [scalar64(2), scalar64(9), scalar64(3)], outputType: 'int64' },
  {
    op: 'OneHot',
    opset: 11,
    inputs: [{ dtype: 'int64', shape: [3], values: [0, 2, -1] }, int64Tensor([], [4]), floats([2], 0, 1)],
  },
  { op: 'CumSum', opset: 14, inputs: [[2, 4], scalar64(1)], tolerance: 1e-5 },
  { op: 'Trilu', opset: 14, inputs: [[3, 4]], attrs: { upper: i(0) } },
  { op: 'TopK', opset: 11, inputs: [[2, 5], int64(3)], outputs: 1 },
];

const composites: Row[] = [
  {
    op: 'GroupNormalization',
    opset: 21,
    inputs: [[2, 4, 3, 3], weights(4), weights(4)],
    attrs: { num_groups: i(2) },
    tolerance: 1e-5,
  },
  { op: 'MeanVarianceNormalization', opset: 13, inputs: [[2, 3, 4, 4]], tolerance: 1e-5 },
  { op: 'LpNormalization', opset: 11, inputs: [[2, 3, 4]], attrs: { axis: i(1) } },
  { op: 'LpNormalization', opset: 11, inputs: [[2, 3, 4]], attrs: { p: i(1) } },
  { op: 'LRN', opset: 7, inputs: [[1, 5, 2, 3]], attrs: { size: i(3), alpha: f(0.5), bias: f(2) } },
  { op: 'LRN', opset: 13, inputs: [[1, 6, 2, 3]], attrs: { size: i(5), alpha: f(2) } },
  { op: 'Tan', opset: 7, inputs: [[2, 3]] },
  { op: 'Sinh', opset: 9, inputs: [[2, 3]] },
  { op: 'Cosh', opset: 9, inputs: [[2, 3]] },
  { op: 'Shrink', opset: 9, inputs: [[2, 3]], attrs: { lambd: f(0.25), bias: f(0.1) } },
  { op: 'Hardmax', opset: 13, inputs: [[2, 5]] },
  {
    op: 'Einsum',
    opset: 12,
    inputs: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    attrs: { equation: s('bij,bjk->bik') },
    tolerance: 1e-5,
  },
  {
    op: 'Einsum',
    opset: 12,
    inputs: [[2, 3, 4], weights(4, 2, 5)],
    attrs: { equation: s('abc,cde->abde') },
    tolerance: 1e-5,
  },
  {
    op: 'RNN',
    opset: 7,
    inputs: [[4, 2, 3], weights(1, 5, 3), weights(1, 5, 5), weights(1, 10)],
    attrs: { hidden_size: i(5) },
    tolerance: 1e-5,
    outputs: 2,
  },
  {
    op: 'RNN',
    opset: 14,
    inputs: [[4, 2, 3], weights(2, 5, 3), weights(2, 5, 5)],
    attrs: { hidden_size: i(5), direction: s('bidirectional'), activations: { strings: ['Relu', 'Tanh'] } },
    tolerance: 1e-5,
    outputs: 2,
  },
  {
    op: 'LSTM',
    opset: 7,
    inputs: [[4, 2, 3], weights(1, 20, 3), weights(1, 20, 5), weights(1, 40)],
    attrs: { hidden_size: i(5) },
    tolerance: 1e-5,
    outputs: 3,
  },
  {
    op: 'LSTM',
    opset: 14,
    inputs: [
      [4, 2, 3],
      weights(2, 20, 3),
      weights(2, 20, 5),
      weights(2, 40),
      null,
      weights(2, 2, 5),
      weights(2, 2, 5),
      weights(2, 15),
    ],
    attrs: { hidden_size: i(5), direction: s('bidirectional') },
    tolerance: 1e-5,
    outputs: 3,
    note: 'states and peepholes',
  },
  {
    op: 'LSTM',
    opset: 14,
    inputs: [[3, 1, 3], weights(1, 20, 3), weights(1, 20, 5)],
    attrs: { hidden_size: i(5), direction: s('reverse') },
    tolerance: 1e-5,
    outputs: 3,
  },
  {
    op: 'GRU',
    opset: 7,
    inputs: [[4, 2, 3], weights(1, 15, 3), weights(1, 15, 5), weights(1, 30)],
    attrs: { hidden_size: i(5) },
    tolerance: 1e-5,
    outputs: 2,
  },
  {
    op: 'GRU',
    opset: 14,
    inputs: [[4, 2, 3], weights(2, 15, 3), weights(2, 15, 5), weights(2, 30), null, weights(2, 2, 5)],
    attrs: { hidden_size: i(5), direction: s('bidirectional'), linear_before_reset: i(1) },
    tolerance: 1e-5,
    outputs: 2,
  },
  {
    op: 'GRU',
    opset: 14,
    inputs: [[4, 2, 3], weights(1, 15, 3), weights(1, 15, 5), weights(1, 30)],
    attrs: { hidden_size: i(5), linear_before_reset: i(1) },
    tolerance: 1e-5,
    outputs: 2,
    note: 'no state',
  },
];

const borders: Row[] = [
  {
    op: 'QuantizeLinear',
    opset: 10,
    inputs: [[2, 3], scalar(0.02), tensorOf('uint8', [], Uint8Array.of(100))],
    outputType: 'uint8',
  },
  {
    op: 'QuantizeLinear',
    opset: 13,
    inputs: [[2, 3], floats([3], 0.01, 0.02, 0.03), tensorOf('int8', [3], Int8Array.of(0, 1, 2))],
    attrs: { axis: i(1) },
    outputType: 'int8',
  },
  {
    op: 'DequantizeLinear',
    opset: 10,
    inputs: [tensorFrom('uint8', [3], [0, 128, 255]), scalar(0.5), tensorFrom('uint8', [], [128])],
  },
  {
    op: 'DequantizeLinear',
    opset: 13,
    inputs: [tensorFrom('int32', [2], [70000, -3]), floats([2], 0.5, 0.25)],
    attrs: { axis: i(0) },
    note: 'bias',
  },
  {
    op: 'DequantizeLinear',
    opset: 21,
    inputs: [tensorFrom('int16', [2], [32000, -3]), scalar(0.5), tensorFrom('int16', [], [0])],
  },
];

function modelOf(row: Row): TestModel {
  const inputs: Record<string, TestInput> = {};
  const constants: Record<string, Tensor> = {};
  const names = row.inputs.map((value, k) => {
    if (value === null) return '';
    if ('bytes' in value) constants[`c${k}`] = value;
    else inputs[`x${k}`] = 'shape' in value ? value : { shape: value };
    return 'bytes' in value ? `c${k}` : `x${k}`;
  });
  const outputs = Array.from({ length: row.outputs ?? 1 }, (_, k) => `y${k}`);
  return {
    opset: row.opset,
    nodes: [
      {
        op: row.op,
        inputs: names,
        outputs: row.op === 'TopK' ? [...outputs, 'order'] : outputs,
        attrs: row.attrs,
        name: 'n',
      },
    ],
    inputs,
    constants,
    outputs: Object.fromEntries(outputs.map((name) => [name, row.outputType ?? 'float32'])),
  };
}

describe.each([
  ['spatial', spatial],
  ['dense', dense],
  ['functions', functions],
  ['arithmetic', arithmetic],
  ['reductions', reductions],
  ['shapes', shapes],
  ['composite', composites],
  ['borders', borders],
])('ONNX %s operators mean the same after reading and writing', (_, rows) => {
  it.each(
    rows.map(
      (row) => [`${row.op} ${row.opset} ${JSON.stringify(row.attrs ?? {})} ${row.note ?? ''}`, row] as const,
    ),
  )('%s', async (_name, row) => {
    await checkReadAndWrite(modelOf(row), row.tolerance);
  });
});
