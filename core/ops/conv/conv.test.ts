import { describe, it } from 'vitest';
import { checkOp, type OpCase, weight, x } from '../../testing/check-op.ts';
import type { ConvAttrs, ConvTransposeAttrs } from '../vocabulary.ts';

const conv = (attrs: Partial<ConvAttrs> = {}) => ({
  layout: 'NCHW',
  strides: [1, 1],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
  group: 1,
  activation: 'none',
  ...attrs,
});

const transposed = (attrs: Partial<ConvTransposeAttrs> = {}) => ({
  ...conv(attrs),
  outputPadding: [0, 0],
  ...attrs,
});

const cases: OpCase[] = [
  { name: 'valid', op: 'Conv', inputs: [x(1, 3, 8, 8), weight(4, 3, 3, 3), weight(4)], attrs: conv() },
  { name: 'without bias', op: 'Conv', inputs: [x(1, 3, 8, 8), weight(4, 3, 3, 3), null], attrs: conv() },
  {
    name: 'same, stride 2, odd size',
    op: 'Conv',
    inputs: [x(1, 3, 9, 9), weight(4, 3, 3, 3), weight(4)],
    attrs: conv({ strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  {
    name: 'explicit pads that are not SAME',
    op: 'Conv',
    inputs: [x(1, 3, 8, 8), weight(4, 3, 3, 3), weight(4)],
    attrs: conv({ strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  {
    name: 'asymmetric pads',
    op: 'Conv',
    inputs: [x(1, 2, 7, 6), weight(4, 2, 3, 2), weight(4)],
    attrs: conv({ pads: [0, 2, 3, 1] }),
  },
  {
    name: 'dilated',
    op: 'Conv',
    inputs: [x(1, 2, 12, 12), weight(4, 2, 3, 3), weight(4)],
    attrs: conv({ dilations: [2, 3] }),
  },
  {
    name: 'depthwise',
    op: 'Conv',
    inputs: [x(1, 6, 8, 8), weight(6, 1, 3, 3), weight(6)],
    attrs: conv({ group: 6, pads: [1, 1, 1, 1] }),
  },
  {
    name: 'depthwise, multiplier 2',
    op: 'Conv',
    inputs: [x(1, 3, 8, 8), weight(6, 1, 3, 3), weight(6)],
    attrs: conv({ group: 3 }),
  },
  {
    name: 'grouped',
    op: 'Conv',
    inputs: [x(1, 4, 8, 8), weight(6, 2, 3, 3), weight(6)],
    attrs: conv({ group: 2 }),
  },
  {
    name: 'fused relu6',
    op: 'Conv',
    inputs: [{ shape: [1, 3, 8, 8], range: [-9, 9] }, weight(4, 3, 3, 3), weight(4)],
    attrs: conv({ activation: 'relu6' }),
    tolerance: 1e-4,
  },
  {
    name: 'one-dimensional',
    op: 'Conv',
    inputs: [x(1, 3, 16), weight(4, 3, 5), weight(4)],
    attrs: conv({ strides: [2], dilations: [1], pads: [2, 2] }),
  },
  {
    name: 'transposed, stride 2',
    op: 'ConvTranspose',
    inputs: [x(1, 3, 5, 5), weight(3, 4, 3, 3), weight(4)],
    attrs: transposed({ strides: [2, 2] }),
  },
  {
    name: 'transposed, cropped with output padding',
    op: 'ConvTranspose',
    inputs: [x(1, 3, 5, 5), weight(3, 4, 3, 3), null],
    attrs: transposed({ strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] }),
  },
  {
    name: 'transposed, in groups',
    op: 'ConvTranspose',
    inputs: [x(2, 4, 5, 4), weight(4, 3, 3, 2), weight(6)],
    attrs: transposed({ strides: [2, 3], pads: [1, 0, 0, 1], outputPadding: [1, 0], group: 2 }),
  },
  {
    name: 'transposed, depthwise',
    op: 'ConvTranspose',
    inputs: [x(1, 3, 4, 4), weight(3, 2, 3, 3), null],
    attrs: transposed({ strides: [2, 2], pads: [1, 1, 1, 1], group: 3 }),
  },
  {
    name: 'transposed, dilated, pads that cut',
    op: 'ConvTranspose',
    inputs: [x(1, 2, 6, 5), weight(2, 3, 2, 1), weight(3)],
    attrs: transposed({ dilations: [2, 2], pads: [3, 1, 2, 0] }),
  },
  {
    name: 'transposed along one axis, in groups',
    op: 'ConvTranspose',
    inputs: [x(1, 4, 7), weight(4, 2, 3), weight(4)],
    attrs: transposed({ strides: [2], dilations: [1], pads: [1, 0], outputPadding: [0], group: 2 }),
  },
];

describe('convolutions in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
