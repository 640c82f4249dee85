import { describe, it } from 'vitest';
import { checkOp, type OpCase, scalar, weight, x } from '../../testing/check-op.ts';

const wide = { shape: [1, 4, 6], range: [-8, 8] as const };

const cases: OpCase[] = [
  { name: '', op: 'Relu', inputs: [wide] },
  { name: '0 to 6', op: 'Clip', inputs: [wide, scalar(0), scalar(6)], builtins: { RELU6: 1 } },
  { name: '-1 to 1', op: 'Clip', inputs: [wide, scalar(-1), scalar(1)], builtins: { RELU_N1_TO_1: 1 } },
  { name: 'other bounds', op: 'Clip', inputs: [wide, scalar(-2.5), scalar(3)] },
  { name: 'lower bound alone', op: 'Clip', inputs: [wide, scalar(0.5), null] },
  { name: '', op: 'LeakyRelu', inputs: [wide], attrs: { alpha: 0.2 } },
  { name: 'slope per channel', op: 'PRelu', inputs: [x(1, 4, 5, 5), weight(4, 1, 1)] },
  { name: '', op: 'Elu', inputs: [wide], attrs: { alpha: 1 } },
  { name: 'alpha 0.5', op: 'Elu', inputs: [wide], attrs: { alpha: 0.5 } },
  { name: '', op: 'Selu', inputs: [wide], attrs: { alpha: 1.6732631921768188, gamma: 1.0507010221481323 } },
  { name: '', op: 'Sigmoid', inputs: [wide] },
  { name: '', op: 'HardSigmoid', inputs: [wide], attrs: { alpha: 0.2, beta: 0.5 } },
  { name: '', op: 'HardSwish', inputs: [wide] },
  { name: '', op: 'Swish', inputs: [wide] },
  { name: '', op: 'Tanh', inputs: [wide] },
  { name: '', op: 'Softplus', inputs: [wide] },
  {
    name: 'far from zero',
    op: 'Softplus',
    inputs: [{ shape: [4], values: [-100, -20, 20, 100] }],
    tolerance: 1e-4,
  },
  { name: '', op: 'Softsign', inputs: [wide] },
  { name: 'exact', op: 'Gelu', inputs: [wide], attrs: { approximate: false } },
  { name: 'approximate', op: 'Gelu', inputs: [wide], attrs: { approximate: true } },
  { name: '', op: 'Mish', inputs: [wide] },
  { name: 'last axis', op: 'Softmax', inputs: [wide], attrs: { axis: 2 }, builtins: { SOFTMAX: 1 } },
  { name: 'another axis', op: 'Softmax', inputs: [wide], attrs: { axis: 1 } },
  { name: 'last axis', op: 'LogSoftmax', inputs: [wide], attrs: { axis: 2 } },
];

describe('activations in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
