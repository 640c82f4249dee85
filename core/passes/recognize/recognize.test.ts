import { describe, expect, it } from 'vitest';
import type { Value } from '../../ir/graph.ts';
import { expectClose, runInLiteRt, runInOrt } from '../../testing/check-op.ts';
import { GraphKit, histogram } from '../../testing/graph-kit.ts';
import { prepareForOnnx } from '../pipeline.ts';

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

describe('recognizing what a file writes out in parts', () => {
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
});
