import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { createEngines } from '../runtime/engines.ts';
import { expectClose, runInLiteRt, runInOrt } from '../testing/check-op.ts';
import { GraphKit, histogram } from '../testing/graph-kit.ts';
import { prepareForOnnx, prepareForTflite } from './pipeline.ts';

interface Case {
  name: string;
  build(kit: GraphKit): Value[];
  /** Operators of the ONNX form. */
  onnx: Record<string, number>;
  /** Operators of the TFLite form, where they differ. */
  tflite?: Record<string, number>;
}

const cases: Case[] = [
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

/** Activations as exporters write them out. */
const writtenOut: { name: string; op: string; build(kit: GraphKit, x: Value): Value }[] = [
  {
    name: 'x × relu6(x + 3) / 6',
    op: 'HardSwish',
    build: (k, x) =>
      k.binary(
        'Div',
        k.binary('Mul', x, k.relu6(k.binary('Add', x, k.constant([], [3])))),
        k.constant([], [6]),
      ),
  },
  {
    name: 'x × (hard sigmoid of x)',
    op: 'HardSwish',
    build: (k, x) => k.binary('Mul', k.op('HardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 }), x),
  },
  { name: 'x × sigmoid(x)', op: 'Swish', build: (k, x) => k.binary('Mul', x, k.op('Sigmoid', [x])) },
  {
    name: '0.5 x (1 + erf(x / √2))',
    op: 'Gelu',
    build: (k, x) => {
      const erf = k.op('Erf', [k.binary('Div', x, k.constant([], [Math.SQRT2]))]);
      return k.binary(
        'Mul',
        k.binary('Mul', x, k.binary('Add', erf, k.constant([], [1]))),
        k.constant([], [0.5]),
      );
    },
  },
  {
    name: 'the tanh form of GELU, with a power',
    op: 'Gelu',
    build: (k, x) => {
      const cube = k.binary('Mul', k.op('Pow', [x, k.constant([], [3])]), k.constant([], [0.044715]));
      const tanh = k.op('Tanh', [k.binary('Mul', k.constant([], [0.7978845608]), k.binary('Add', x, cube))]);
      return k.binary(
        'Mul',
        x,
        k.binary('Mul', k.constant([], [0.5]), k.binary('Add', k.constant([], [1]), tanh)),
      );
    },
  },
  {
    name: 'max(x, 0.1 x)',
    op: 'LeakyRelu',
    build: (k, x) => k.op('Max', [x, k.binary('Mul', x, k.constant([], [0.1]))]),
  },
  {
    name: 'min(max(x, −2), 3)',
    op: 'Clip',
    build: (k, x) => k.op('Min', [k.op('Max', [x, k.constant([], [-2])]), k.constant([1], [3])]),
  },
  {
    name: 'relu6(x + 3) / 6',
    op: 'HardSigmoid',
    build: (k, x) =>
      k.binary('Mul', k.relu6(k.binary('Add', k.constant([], [3]), x)), k.constant([], [1 / 6])),
  },
];

function centred(k: GraphKit, x: Value, ...axes: number[]): Value {
  return k.binary('Sub', x, k.op('ReduceMean', [x, k.ints(...axes)], { keepDims: true }));
}

function deviation(k: GraphKit, square: Value, ...axes: number[]): Value {
  const variance = k.op('ReduceMean', [square, k.ints(...axes)], { keepDims: true });
  return k.op('Sqrt', [k.binary('Add', variance, k.constant([], [0.001]))]);
}

const epsilon = Math.fround(0.001);

const normalizations: {
  name: string;
  op: string;
  attrs: Record<string, number>;
  build(kit: GraphKit, x: Value): Value;
}[] = [
  {
    name: 'layer normalization with scale and offset',
    op: 'LayerNormalization',
    attrs: { axis: 2, epsilon },
    build: (k, x) => {
      const d = centred(k, x, -1);
      const normal = k.binary('Div', d, deviation(k, k.op('Pow', [d, k.constant([], [2])]), -1));
      return k.binary('Add', k.binary('Mul', normal, k.weight([6])), k.weight([6]));
    },
  },
  {
    name: 'layer normalization over two axes by a reciprocal, without parameters',
    op: 'LayerNormalization',
    attrs: { axis: 1, epsilon },
    build: (k, x) => {
      const d = centred(k, x, 1, 2);
      return k.binary('Mul', k.op('Reciprocal', [deviation(k, k.binary('Mul', d, d), 1, 2)]), d);
    },
  },
  {
    name: 'softmax with its maximum taken off, reduced axes put back by reshapes',
    op: 'Softmax',
    attrs: { axis: 1 },
    build: (k, x) => {
      const most = k.reshape(k.op('ReduceMax', [x, k.ints(1)], { keepDims: false }), 2, 1, 6);
      const exp = k.op('Exp', [k.binary('Sub', x, most)]);
      return k.binary(
        'Div',
        exp,
        k.reshape(k.op('ReduceSum', [exp, k.ints(1)], { keepDims: false }), 2, 1, 6),
      );
    },
  },
  {
    name: 'softmax as it is defined',
    op: 'Softmax',
    attrs: { axis: 2 },
    build: (k, x) => {
      const exp = k.op('Exp', [x]);
      return k.binary('Div', exp, k.op('ReduceSum', [exp, k.ints(2)], { keepDims: true }));
    },
  },
];

/** Nearly the same, and not to be taken for it. */
const notTheSame: { name: string; build(kit: GraphKit, x: Value): Value }[] = [
  {
    name: 'x × sigmoid(1.01 x)',
    build: (k, x) => k.binary('Mul', x, k.op('Sigmoid', [k.binary('Mul', x, k.constant([], [1.01]))])),
  },
  { name: 'max(x, 1.5 x)', build: (k, x) => k.op('Max', [x, k.binary('Mul', x, k.constant([], [1.5]))]) },
  {
    name: 'x × sigmoid of something else',
    build: (k, x) => k.binary('Mul', x, k.op('Sigmoid', [k.op('Sin', [x])])),
  },
];

function names(graph: Graph): string[] {
  return graph.outputs.map(String);
}

describe('preparing', () => {
  it.each(cases)('$name', async (testCase) => {
    const kit = new GraphKit();
    const graph = kit.finish(...testCase.build(kit));
    const expected = await runInOrt(graph, kit.feeds);

    const onnx = prepareForOnnx(graph).graph;
    expect(histogram(onnx)).toEqual(testCase.onnx);
    const tflite = prepareForTflite(graph, { layout: 'keep' }).graph;
    if (testCase.tflite) expect(histogram(tflite)).toEqual(testCase.tflite);
    expect(names(tflite)).toEqual(names(graph));

    const inOrt = await runInOrt(onnx, kit.feeds);
    const inLiteRt = await runInLiteRt(graph, kit.feeds);
    for (const name of graph.outputs) {
      const size = toFloat32(expected[name]).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      expectClose(inOrt[name], expected[name], 2e-6 * size);
      expectClose(inLiteRt.results[name], expected[name], 2e-6 * size);
    }
  });

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

  it('keeps names: a fused activation gives its own to the result', () => {
    const kit = new GraphKit();
    const conv = kit.conv(kit.input(1, 3, 6, 6), 4, 3);
    const relu = kit.op('Relu', [kit.batchNorm(conv)], {}, 'stem/relu');
    const graph = kit.finish(kit.conv(relu, 2, 1));
    for (const { graph: form } of [prepareForOnnx(graph), prepareForTflite(graph, { layout: 'nhwc' })]) {
      expect(form.nodes.map((node) => node.outputs[0])).toEqual(['stem/relu', graph.outputs[0]]);
    }
  });

  it('says which transposes stay, and why', () => {
    const kit = new GraphKit();
    const graph = kit.finish(kit.flatten(kit.conv(kit.input(1, 3, 5, 5), 4, 3)));
    const { reports } = prepareForTflite(graph, { layout: 'nhwc' });
    const notes = reports.find((report) => report.id === 'layout')?.notes;
    expect(notes).toEqual([expect.stringContaining('conv [1, 4, 3, 3] is transposed')]);
  });

  it.each(writtenOut)('recognizes $name', async ({ op, build }) => {
    const kit = new GraphKit();
    const x = kit.binary('Mul', kit.op('Sin', [kit.input(1, 40)]), kit.constant([], [5]));
    const graph = kit.finish(build(kit, x));
    const { graph: onnx } = prepareForOnnx(graph);
    expect(histogram(onnx)).toEqual({ Sin: 1, Mul: 1, [op]: 1 });
    const expected = await runInOrt(graph, kit.feeds);
    const [name] = graph.outputs;
    expectClose((await runInOrt(onnx, kit.feeds))[name], expected[name], 2e-6);
    expectClose((await runInLiteRt(graph, kit.feeds)).results[name], expected[name], 2e-6);
  });

  it.each(normalizations)('recognizes $name', async ({ op, attrs, build }) => {
    const kit = new GraphKit();
    const graph = kit.finish(build(kit, kit.input(2, 5, 6)));
    const { graph: onnx } = prepareForOnnx(graph);
    expect(histogram(onnx)).toEqual({ [op]: 1 });
    expect(onnx.nodes[0].attrs).toEqual(attrs);
    const expected = await runInOrt(graph, kit.feeds);
    const [name] = graph.outputs;
    expectClose((await runInOrt(onnx, kit.feeds))[name], expected[name], 5e-6);
    expectClose((await runInLiteRt(graph, kit.feeds)).results[name], expected[name], 5e-6);
  });

  it.each(notTheSame)('leaves $name alone', ({ build }) => {
    const kit = new GraphKit();
    const graph = kit.finish(build(kit, kit.input(1, 40)));
    expect(histogram(prepareForOnnx(graph).graph)).toEqual(histogram(graph));
  });

  it('leaves an activation alone whose parts are read elsewhere', () => {
    const kit = new GraphKit();
    const x = kit.input(1, 40);
    const gate = kit.op('Sigmoid', [x]);
    const graph = kit.finish(kit.binary('Mul', x, gate), gate);
    expect(histogram(prepareForOnnx(graph).graph)).toEqual({ Sigmoid: 1, Mul: 1 });
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
