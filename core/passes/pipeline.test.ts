import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { createEngines } from '../runtime/engines.ts';
import { expectForms, type FormCase } from '../testing/form-case.ts';
import { GraphKit, histogram } from '../testing/graph-kit.ts';
import { prepareForOnnx, prepareForTflite } from './pipeline.ts';

const cases: FormCase[] = [
  {
    name: 'a reshape that puts reduced axes back goes into the mean',
    build: (k) => {
      const x = k.relu(k.conv(k.input(1, 3, 6, 6), 4, 3));
      const mean = k.op('ReduceMean', [x, k.ints(2, 3)], { keepDims: false });
      return [k.binary('Mul', x, k.op('Sigmoid', [k.reshape(mean, 1, 4, 1, 1)]))];
    },
    onnx: { Conv: 1, ReduceMean: 1, Sigmoid: 1, Mul: 1 },
  },
  {
    name: 'what is computed twice is computed once',
    build: (k) => {
      const x = k.conv(k.input(1, 3, 6, 6), 4, 3);
      const pool = () => k.pool('MaxPool', k.op('Clip', [x, k.constant([], [0]), null]), 2);
      return [k.op('Concat', [pool(), pool(), k.relu(k.op('Neg', [pool()]))], { axis: 1 })];
    },
    onnx: { Conv: 1, MaxPool: 1, Neg: 1, Relu: 1, Concat: 1 },
  },
  {
    name: 'operators with other attributes or constants are not the same',
    build: (k) => {
      const x = k.conv(k.input(1, 3, 6, 6), 4, 3);
      const tops = [-1, -0.5].map((top) => k.op('Clip', [x, k.constant([], [-2]), k.constant([], [top])]));
      return [
        k.op('Concat', [...tops, ...[1, 2].map((axis) => k.op('Softmax', [x], { axis }))], { axis: 1 }),
      ];
    },
    onnx: { Conv: 1, Clip: 2, Softmax: 2, Concat: 1 },
  },
  {
    name: 'zero padding goes into the convolution',
    build: (k) => [k.conv(k.pad(k.input(1, 3, 6, 6), [0, 0], [1, 1]), 4, 3, { strides: [2, 2] })],
    onnx: { Conv: 1 },
  },
  {
    name: 'other padding stays',
    build: (k) => [k.conv(k.pad(k.input(1, 3, 6, 6), [0, 0], [1, 1], 0.5), 4, 3)],
    onnx: { Pad: 1, Conv: 1 },
  },
  {
    name: 'zeros before a max pool go into it when nothing is negative',
    build: (k) => [
      k.pool('MaxPool', k.pad(k.relu(k.input(1, 3, 6, 6)), [1, 1], [1, 1]), 3, { strides: [2, 2] }),
    ],
    onnx: { Relu: 1, MaxPool: 1 },
  },
  {
    name: 'zeros before a max pool stay when they can be the maximum',
    build: (k) => [k.pool('MaxPool', k.pad(k.input(1, 3, 6, 6), [1, 1], [1, 1]), 3, { strides: [2, 2] })],
    onnx: { Pad: 1, MaxPool: 1 },
  },
  {
    name: 'zeros as wide as the window stay: a window could hold nothing else',
    build: (k) => [k.pool('MaxPool', k.pad(k.relu(k.input(1, 3, 6, 6)), [2, 2], [2, 2]), 2)],
    onnx: { Relu: 1, Pad: 1, MaxPool: 1 },
  },
  {
    name: 'ReLU, then its limit at 6, are one activation',
    build: (k) => [k.relu6(k.relu(k.binary('Add', k.input(1, 4), k.input(1, 4))))],
    onnx: { Add: 1 },
  },
  {
    name: 'Gemm with its factors and a row bias',
    build: (k) => {
      const attrs = { alpha: 0.5, beta: 2, transA: false, transB: true };
      return [k.op('Gemm', [k.input(2, 5), k.weight([4, 5]), k.weight([4])], attrs)];
    },
    onnx: { FullyConnected: 1 },
  },
  {
    name: 'Gemm of computed matrices',
    build: (k) => {
      const attrs = { alpha: 0.5, beta: 2, transA: true, transB: true };
      return [k.op('Gemm', [k.input(5, 2), k.input(4, 5), k.input(2, 4)], attrs)];
    },
    onnx: { Transpose: 2, Mul: 2, MatMul: 1, Add: 1 },
  },
  {
    name: 'steps of a sequence are cut and joined with one reshape each',
    build: (k) => {
      const steps = k.split(k.input(1, 4, 6), 1, [1, 1, 1, 1]).map((step) => k.relu(k.reshape(step, 1, 6)));
      return [
        k.op(
          'Concat',
          steps.map((step) => k.reshape(step, 1, 1, 6)),
          { axis: 1 },
        ),
      ];
    },
    onnx: { Reshape: 2, Split: 1, Relu: 4, Concat: 1 },
  },
  {
    name: 'steps behind a batch of several are reshaped one by one',
    build: (k) => k.split(k.input(2, 3, 6), 1, [1, 1, 1]).map((step) => k.relu(k.reshape(step, 2, 6))),
    onnx: { Split: 1, Reshape: 3, Relu: 3 },
  },
  {
    name: 'steps of a batch of several that come first are cut from rows',
    build: (k) => k.split(k.input(3, 2, 6), 0, [1, 1, 1]).map((step) => k.relu(k.reshape(step, 2, 6))),
    onnx: { Reshape: 1, Split: 1, Relu: 3 },
  },
  {
    name: 'parts that are flattened are flattened one by one',
    build: (k) => k.split(k.input(1, 4, 3, 3), 1, [2, 2]).map((part) => k.dense(k.reshape(part, 1, 18), 3)),
    onnx: { Split: 1, Reshape: 2, FullyConnected: 2 },
  },
  {
    name: 'a mean that keeps its axes for a flattening to drop them',
    build: (k) => [k.dense(k.flatten(k.globalMean(k.conv(k.input(1, 3, 4, 4), 2, 3), true)), 2)],
    onnx: { Conv: 1, ReduceMean: 1, FullyConnected: 1 },
  },
  {
    name: 'an average pool over the whole map',
    build: (k) => [k.dense(k.flatten(k.pool('AveragePool', k.conv(k.input(1, 3, 5, 5), 2, 2), 4)), 2)],
    onnx: { Conv: 1, ReduceMean: 1, FullyConnected: 1 },
  },
  {
    name: 'a hard sigmoid after a convolution',
    build: (k) => [k.op('HardSigmoid', [k.conv(k.input(1, 3, 4, 4), 2, 1)], { alpha: 0.2, beta: 0.5 })],
    onnx: { Conv: 1, Mul: 1 },
  },
];

describe('preparing', () => {
  it.each(cases)('$name', expectForms);

  it('keeps zeros before a max pool from becoming −∞ in onnxruntime', async () => {
    const kit = new GraphKit();
    const x = kit.builder.input('x', { dtype: 'float32', shape: [1, 1, 3, 3] });
    const graph = kit.finish(kit.pool('MaxPool', kit.pad(x, [1, 1], [2, 2]), 2));
    const feeds = { x: floatTensor([1, 1, 3, 3], [-1, -2, -3, -4, -5, -6, -7, -8, -9]) };
    // With onnxruntime's own optimizations, unlike the other cases.
    const session = await createEngines().ort.open(writeOnnx(prepareForOnnx(graph).graph));
    const { [graph.outputs[0]]: result } = await session.run(feeds);
    await session.close();
    expect([...toFloat32(result)].map((value) => value + 0)).toEqual([0, 0, 0, 0, -5, 0, 0, 0, 0]);
  });

  it('never changes the graph it is given', () => {
    const kit = new GraphKit();
    const graph = kit.finish(kit.relu(kit.batchNorm(kit.conv(kit.input(1, 3, 6, 6), 4, 3))));
    const before = histogram(graph);
    const weights = [...graph.values.values()].map((value) => value.constant);
    prepareForTflite(graph, { layout: 'nhwc' });
    expect(histogram(graph)).toEqual(before);
    expect([...graph.values.values()].map((value) => value.constant)).toEqual(weights);
  });

  it('keeps names: a fused activation gives its own to the result', () => {
    const kit = new GraphKit();
    const conv = kit.conv(kit.input(1, 3, 6, 6), 4, 3);
    const relu = kit.op('Relu', [kit.batchNorm(conv)], {}, 'stem/relu');
    const graph = kit.finish(kit.conv(relu, 2, 1));
    for (const { graph: form } of [prepareForOnnx(graph), prepareForTflite(graph, { layout: 'nhwc' })]) {
      expect(form.nodes.map((node) => node.outputs[0])).toEqual(['stem/relu', graph.outputs[0]]);
    }
  });

  it('leaves graphs with open dimensions well formed', () => {
    const kit = new GraphKit();
    const image = kit.builder.input('image', { dtype: 'float32', shape: ['batch', 3, 'height', 8] });
    const conv = kit.relu(kit.batchNorm(kit.conv(image, 4, 3, { pads: [1, 1, 1, 1] })));
    const graph = kit.finish(kit.dense(kit.globalMean(kit.pool('MaxPool', conv, 2)), 3));
    expect(histogram(prepareForOnnx(graph).graph)).toEqual({
      Conv: 1,
      MaxPool: 1,
      ReduceMean: 1,
      FullyConnected: 1,
    });
    const { graph: tflite } = prepareForTflite(graph, { layout: 'nhwc' });
    expect(tflite.values.get('image')?.type.shape).toEqual(['batch', 3, 'height', 8]);
  });

  it('computes shapes that the file leaves to the runtime', () => {
    const kit = new GraphKit();
    const conv = kit.conv(kit.input(1, 3, 5, 5), 4, 3);
    const batch = kit.op('Gather', [kit.op('Shape', [conv], { start: 0 }), kit.ints(0)], { axis: 0 });
    const shape = kit.op('Concat', [batch, kit.ints(-1)], { axis: 0 });
    const flat = kit.op('Reshape', [conv, shape], { allowZero: false });
    const graph = kit.finish(kit.op('MatMul', [flat, kit.weight([36, 2])]));
    expect(histogram(prepareForOnnx(graph).graph)).toEqual({ Conv: 1, Reshape: 1, FullyConnected: 1 });
  });
});
