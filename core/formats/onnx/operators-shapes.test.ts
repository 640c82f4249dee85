/** Operator readers in the opsets in which their form differs. */
import { int64Tensor, tensorOf } from '../../ir/tensor.ts';
import { tensorFrom } from '../../ops/fold-helpers.ts';
import {
  describeRows,
  f,
  floats,
  i,
  int64,
  is,
  type Row,
  s,
  scalar,
  scalar64,
  weights,
} from '../../testing/onnx-rows.ts';

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
  { op: 'TopK', opset: 11, inputs: [[2, 5], int64(3)], outputs: 1, left: 1 },
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

describeRows('shape operators', shapes);
describeRows('quantization borders', borders);
