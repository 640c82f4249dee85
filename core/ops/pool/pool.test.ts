import { describe, it } from 'vitest';
import { checkOp, type OpCase, x } from '../../testing/check-op.ts';
import type { AveragePoolAttrs } from '../vocabulary.ts';

const pool = (attrs: Partial<AveragePoolAttrs> = {}) => ({
  layout: 'NCHW',
  kernelShape: [2, 2],
  strides: [2, 2],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
  ceilMode: false,
  activation: 'none',
  ...attrs,
});
const average = (attrs: Partial<AveragePoolAttrs> = {}) => pool({ countIncludePad: false, ...attrs });

const cases: OpCase[] = [
  { name: 'valid', op: 'MaxPool', inputs: [x(1, 3, 8, 8)], attrs: pool() },
  {
    name: 'padded, negative values',
    op: 'MaxPool',
    inputs: [{ shape: [1, 3, 8, 8], range: [-5, -1] }],
    attrs: pool({ kernelShape: [3, 3], pads: [1, 1, 1, 1] }),
  },
  { name: 'ceil mode', op: 'MaxPool', inputs: [x(1, 2, 7, 7)], attrs: pool({ ceilMode: true }) },
  {
    name: 'one-dimensional',
    op: 'MaxPool',
    inputs: [x(1, 3, 9)],
    attrs: pool({ kernelShape: [3], strides: [2], dilations: [1], pads: [0, 0] }),
  },
  { name: 'valid', op: 'AveragePool', inputs: [x(1, 3, 8, 8)], attrs: average() },
  {
    name: 'same, pads left out of the mean',
    op: 'AveragePool',
    inputs: [x(1, 3, 9, 9)],
    attrs: average({ kernelShape: [3, 3], pads: [1, 1, 1, 1] }),
  },
  {
    name: 'pads counted in the mean',
    op: 'AveragePool',
    inputs: [x(1, 3, 8, 8)],
    attrs: average({ kernelShape: [3, 3], pads: [1, 1, 1, 1], countIncludePad: true }),
  },
];

describe('pooling in LiteRT equals onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
