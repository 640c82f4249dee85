import { describe, it } from 'vitest';
import { expectForms, type FormCase } from '../testing/form-case.ts';

const cases: FormCase[] = [
  {
    name: 'batch norm and ReLU go into the convolution',
    build: (k) => [k.relu(k.batchNorm(k.conv(k.input(1, 3, 6, 6), 4, 3, { bias: false })))],
    onnx: { Conv: 1 },
  },
  {
    name: 'batch norm into a grouped transposed convolution',
    build: (k) => [k.batchNorm(k.convTranspose(k.input(1, 4, 3, 3), 6, 3, { strides: [2, 2] }))],
    onnx: { ConvTranspose: 1 },
  },
  {
    name: 'batch norm and an added bias go into a dense layer',
    build: (k) => [k.binary('Add', k.batchNorm(k.dense(k.input(1, 5), 4)), k.weight([1, 4]))],
    onnx: { FullyConnected: 1 },
  },
  {
    name: 'a dense layer of a constant stays',
    build: (k) => [k.binary('Add', k.dense(k.weight([1, 5]), 4), k.dense(k.input(1, 5), 4))],
    onnx: { FullyConnected: 2, Add: 1 },
  },
  {
    name: 'chains of arithmetic with constants are folded at once',
    build: (k) => {
      const conv = k.conv(k.input(1, 3, 5, 5), 4, 1);
      const scaled = k.binary('Mul', k.weight([4, 1, 1]), k.binary('Sub', conv, k.weight([1, 4, 1, 1])));
      return [k.binary('Div', k.binary('Sub', k.constant([], [2]), scaled), k.constant([1], [4]))];
    },
    onnx: { Conv: 1 },
  },
  {
    name: 'a value that is read twice keeps its batch norm apart',
    build: (k) => {
      const conv = k.conv(k.input(1, 3, 5, 5), 4, 3);
      return [k.batchNorm(conv), k.relu(conv)];
    },
    onnx: { Conv: 2, Relu: 1 },
  },
  {
    name: 'arithmetic that differs along space stays',
    build: (k) => [k.binary('Add', k.conv(k.input(1, 3, 4, 4), 2, 1), k.weight([1, 2, 4, 4]))],
    onnx: { Conv: 1, Add: 1 },
  },
  {
    name: 'batch norm after ReLU goes into the next valid convolution',
    build: (k) => [k.conv(k.batchNorm(k.relu(k.conv(k.input(1, 3, 8, 8), 4, 3))), 4, 3, { group: 2 })],
    onnx: { Conv: 2 },
  },
  {
    name: 'batch norm before a padded convolution becomes one depthwise convolution',
    build: (k) => [
      k.conv(k.batchNorm(k.relu(k.conv(k.input(1, 3, 6, 6), 4, 3))), 4, 3, { pads: [1, 1, 1, 1] }),
    ],
    onnx: { Conv: 3 },
  },
  {
    name: 'a scale alone goes into a padded convolution',
    build: (k) => [
      k.conv(k.binary('Mul', k.input(1, 3, 6, 6), k.constant([], [1 / 255])), 4, 3, { pads: [1, 1, 1, 1] }),
    ],
    onnx: { Conv: 1 },
  },
  {
    name: 'batch norm after ReLU goes through pooling and flattening into the dense layer',
    build: (k) => [
      k.dense(k.flatten(k.pool('MaxPool', k.batchNorm(k.relu(k.conv(k.input(1, 3, 8, 8), 4, 3))), 2)), 5),
    ],
    onnx: { Conv: 1, MaxPool: 1, Reshape: 1, FullyConnected: 1 },
  },
  {
    name: 'batch norm goes through means',
    build: (k) => {
      const map = k.batchNorm(
        k.relu(k.pool('AveragePool', k.batchNorm(k.relu(k.input(1, 4, 8, 8))), 2, { pads: [0, 0, 1, 1] })),
      );
      return [k.dense(k.globalMean(map), 5)];
    },
    onnx: { Relu: 1, AveragePool: 1, Conv: 1, ReduceMean: 1, FullyConnected: 1 },
  },
  {
    name: 'a negative scale is not moved through a maximum',
    build: (k) => {
      const scaled = k.binary(
        'Mul',
        k.relu(k.conv(k.input(1, 2, 6, 6), 2, 1)),
        k.constant([2, 1, 1], [1, -1]),
      );
      return [k.conv(k.pool('MaxPool', scaled, 2), 2, 1)];
    },
    onnx: { Conv: 2, Mul: 1, MaxPool: 1 },
  },
];

describe('arithmetic beside weights', () => {
  it.each(cases)('$name', expectForms);
});
