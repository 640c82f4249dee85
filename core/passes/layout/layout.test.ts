import { describe, expect, it } from 'vitest';
import { expectForms, type FormCase } from '../../testing/form-case.ts';
import { GraphKit } from '../../testing/graph-kit.ts';
import { prepareForTflite } from '../pipeline.ts';

const cases: FormCase[] = [
  {
    name: 'flattened features reach the dense layer in the order they lie in',
    build: (k) => [k.dense(k.flatten(k.conv(k.input(1, 3, 5, 5), 4, 3)), 3)],
    onnx: { Conv: 1, Reshape: 1, FullyConnected: 1 },
  },
  {
    name: 'arithmetic between flatten and dense follows the features',
    build: (k) => [k.dense(k.op('PRelu', [k.flatten(k.conv(k.input(1, 3, 5, 5), 4, 3)), k.weight([36])]), 3)],
    onnx: { Conv: 1, Reshape: 1, PRelu: 1, FullyConnected: 1 },
  },
  {
    name: 'dense features become a feature map in the order it wants',
    build: (k) => [k.conv(k.reshape(k.relu(k.dense(k.input(1, 6), 36)), 1, 4, 3, 3), 2, 3)],
    onnx: { FullyConnected: 1, Reshape: 1, Conv: 1 },
  },
  {
    name: 'flattened features that the graph gives away lie as in the source',
    build: (k) => [k.flatten(k.conv(k.input(1, 3, 5, 5), 4, 3))],
    onnx: { Conv: 1, Reshape: 1 },
    tflite: { Transpose: 2, Conv: 1, Reshape: 1 },
  },
  {
    name: 'channels-last models are turned once, at the image',
    build: (k) => {
      const image = k.transpose(k.input(1, 6, 6, 3), 0, 3, 1, 2);
      const a = k.pool('MaxPool', k.relu(k.conv(image, 4, 3)), 2);
      return [k.transpose(k.op('Concat', [a, k.conv(a, 2, 1)], { axis: 1 }), 0, 2, 3, 1)];
    },
    onnx: { Transpose: 2, Conv: 2, MaxPool: 1, Concat: 1 },
    tflite: { Conv: 2, MaxPool: 1, Concat: 1 },
  },
  {
    name: 'axis operators are renumbered',
    build: (k) => {
      const conv = k.conv(k.transpose(k.input(1, 6, 6, 3), 0, 3, 1, 2), 4, 3);
      const part = k.op('Slice', [conv, k.ints(1, 0), k.ints(4, 3), k.ints(1, 3), null]);
      const padded = k.op('Pad', [part, k.ints(0, 1, 0, 0, 0, 0, 2, 0), null], { mode: 'constant' });
      const mean = k.op('ReduceMean', [padded, k.ints(1)], { keepDims: true });
      const sum = k.op('ReduceSum', [k.binary('Mul', padded, mean), k.ints(2)], { keepDims: false });
      return [k.dense(k.reshape(sum, 1, -1), 2)];
    },
    onnx: {
      Transpose: 1,
      Conv: 1,
      Slice: 1,
      Pad: 1,
      ReduceMean: 1,
      Mul: 1,
      ReduceSum: 1,
      Reshape: 1,
      FullyConnected: 1,
    },
    tflite: { Conv: 1, Slice: 1, Pad: 1, ReduceMean: 1, Mul: 1, ReduceSum: 1, Reshape: 1, FullyConnected: 1 },
  },
  {
    name: 'softmax over channels',
    build: (k) => {
      const conv = k.conv(k.transpose(k.input(1, 4, 4, 3), 0, 3, 1, 2), 5, 1);
      return [k.transpose(k.op('Softmax', [conv], { axis: 1 }), 0, 2, 3, 1)];
    },
    onnx: { Transpose: 2, Conv: 1, Softmax: 1 },
    tflite: { Conv: 1, Softmax: 1 },
  },
  {
    name: 'squeeze and excite',
    build: (k) => {
      const map = k.relu(k.conv(k.transpose(k.input(1, 6, 6, 3), 0, 3, 1, 2), 4, 3));
      const gate = k.op('Sigmoid', [k.conv(k.relu(k.conv(k.globalMean(map, true), 2, 1)), 4, 1)]);
      return [k.globalMean(k.conv(k.binary('Mul', map, gate), 3, 1))];
    },
    onnx: { Transpose: 1, Conv: 4, ReduceMean: 2, Sigmoid: 1, Mul: 1 },
    tflite: { Conv: 4, ReduceMean: 2, Sigmoid: 1, Mul: 1 },
  },
  {
    name: 'detection heads: channels are split off after a reshape',
    build: (k) => {
      const map = k.conv(k.transpose(k.input(1, 4, 4, 3), 0, 3, 1, 2), 6, 1);
      return [k.reshape(k.transpose(map, 0, 2, 3, 1), 1, 48, 2)];
    },
    onnx: { Transpose: 2, Conv: 1, Reshape: 1 },
    tflite: { Conv: 1, Reshape: 1 },
  },
];

describe('planning the layout', () => {
  it.each(cases)('$name', expectForms);

  it('gives image inputs and feature-map outputs channels last when asked', () => {
    const kit = new GraphKit();
    const conv = kit.conv(kit.input(1, 3, 8, 6), 4, 3);
    const graph = kit.finish(conv, kit.flatten(conv));
    const shapes = (layout: 'nhwc' | 'keep') => {
      const { graph: prepared } = prepareForTflite(graph, { layout });
      return [...prepared.inputs, ...prepared.outputs].map((id) => prepared.values.get(id)!.type.shape);
    };
    expect(shapes('nhwc')).toEqual([
      [1, 8, 6, 3],
      [1, 6, 4, 4],
      [1, 96],
    ]);
    expect(shapes('keep')).toEqual([
      [1, 3, 8, 6],
      [1, 4, 6, 4],
      [1, 96],
    ]);
  });

  it('says which transposes stay, and why', () => {
    const kit = new GraphKit();
    const graph = kit.finish(kit.flatten(kit.conv(kit.input(1, 3, 5, 5), 4, 3)));
    const { reports } = prepareForTflite(graph, { layout: 'nhwc' });
    const notes = reports.find((report) => report.id === 'layout')?.notes;
    expect(notes).toEqual([expect.stringContaining('conv [1, 4, 3, 3] is transposed')]);
  });
});
