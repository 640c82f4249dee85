/** Operator readers in the opsets in which their form differs. */
import {
  bools,
  describeRows,
  f,
  i,
  int64,
  is,
  type Row,
  s,
  scalar,
  weights,
} from '../../testing/onnx-rows.ts';

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

describeRows('functions', functions);
describeRows('arithmetic operators', arithmetic);
describeRows('reductions', reductions);
