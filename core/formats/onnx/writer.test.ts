import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Graph } from '../../ir/graph.ts';
import { floatTensor, permute, type Tensor, tensorOf, toNumbers } from '../../ir/tensor.ts';
import { inferTypes } from '../../ops/registry.ts';
import type { ConvAttrs } from '../../ops/vocabulary.ts';
import {
  checkReadAndWrite,
  readValid,
  runOnnx,
  type TestInput,
  type TestModel,
} from '../../testing/onnx-model.ts';
import { decode } from '../protobuf/wire.ts';
import { readOnnxBytes } from './reader.ts';
import { modelTable } from './schema.ts';
import { writeOnnx } from './writer.ts';

const source = { format: 'keras', metadata: { author: 'someone' } } as const;

function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return floatTensor(
    shape,
    Array.from({ length: count }, (_, i) => Math.cos(i * 0.7)),
  );
}

function graphOf(build: (builder: GraphBuilder) => void, outputs: string[] = ['y']): Graph {
  const builder = new GraphBuilder('net', inferTypes);
  build(builder);
  return builder.finish(outputs, source);
}

const conv: ConvAttrs = {
  layout: 'NCHW',
  strides: [1, 1],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
  group: 1,
  activation: 'none',
};

function convGraph(attrs: Attrs): Graph {
  return graphOf((builder) => {
    const x = builder.input('x', { dtype: 'float32', shape: [1, 2, 4, 4] });
    const w = builder.constant('w', ramp(3, 2, 3, 3));
    builder.one('Conv', [x, w, null], { ...conv, ...attrs }, { name: 'c', outputs: ['y'] });
  });
}

const protoOf = (bytes: Uint8Array) => decode(bytes, modelTable);
const opsOf = (bytes: Uint8Array) => protoOf(bytes).graph!.node.map(({ opType }) => opType);

describe('writing ONNX files', () => {
  it('says who wrote it, in the IR version of the opset, and keeps metadata', () => {
    const proto = protoOf(writeOnnx(convGraph({})));
    expect(proto).toMatchObject({ irVersion: 7, producerName: 'whittle', opsetImport: [{ version: 13 }] });
    expect(proto.metadataProps).toEqual([{ key: 'author', value: 'someone' }]);
    expect(protoOf(writeOnnx(convGraph({}), { opset: 21 }))).toMatchObject({ irVersion: 10 });
  });

  it.each([
    [['y'], ['a']],
    [
      ['y', 'b'],
      ['a', 'b'],
    ],
  ])('stores identical constants once, but what is given out under its own name (%s)', (outputs, names) => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [2] });
      const sum = builder.one('Add', [x, builder.constant('a', ramp(2))], { activation: 'none' });
      const twin = builder.constant('b', ramp(2));
      builder.one('Mul', [sum, twin], { activation: 'none' }, { name: 'm', outputs: ['y'] });
    }, outputs);
    expect(protoOf(writeOnnx(graph)).graph!.initializer.map(({ name }) => name)).toEqual(names);
  });

  // Clip and Relu as numpy defines them, on what the same graph gives without activation.
  it.each([
    ['relu', 'Relu', (v: number) => Math.max(v, 0)],
    ['relu6', 'Clip', (v: number) => Math.min(Math.max(v, 0), 6)],
    ['relu_n1_to_1', 'Clip', (v: number) => Math.min(Math.max(v, -1), 1)],
  ])('writes a fused %s as %s after the operator', async (activation, op, apply) => {
    const feeds = { x: ramp(1, 2, 4, 4) };
    const bytes = writeOnnx(convGraph({ activation }), { extraOutputs: ['y'] });
    const proto = protoOf(bytes);
    expect(proto.graph!.node.map(({ opType, output }) => [opType, output])).toEqual([
      ['Conv', ['y/pre']],
      [op, ['y']],
    ]);
    const plain = await runOnnx(writeOnnx(convGraph({})), feeds);
    const actual = await runOnnx(bytes, feeds);
    expect(toNumbers(actual.y)).toEqual(toNumbers(plain.y).map(apply));
  });

  it('gives out inner values with their types', async () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [2, 3] });
      const inside = builder.one('Neg', [x], {}, { outputs: ['inside'] });
      builder.one('Abs', [inside], {}, { outputs: ['y'] });
    });
    const bytes = writeOnnx(graph, { extraOutputs: ['inside', 'y'] });
    expect(protoOf(bytes).graph!.output.map(({ name }) => name)).toEqual(['y', 'inside']);
    const { inside } = await runOnnx(bytes, { x: floatTensor([2, 3], [1, 2, 3, 4, 5, 6]) });
    expect(toNumbers(inside)).toEqual([-1, -2, -3, -4, -5, -6]);
  });

  it.each([
    [[2, 3], ['Gemm']],
    [
      [1, 4, 3],
      ['MatMul', 'Add'],
    ],
    [[3], ['MatMul', 'Add']],
  ])('writes a dense layer over shape %j as %j', async (shape, ops) => {
    const weights = [1, 2, 3, -1, 0.5, 2];
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape });
      const w = builder.constant('w', floatTensor([2, 3], weights));
      const b = builder.constant('b', floatTensor([2], [10, 20]));
      builder.one('FullyConnected', [x, w, b], { activation: 'none' }, { outputs: ['y'] });
    });
    const bytes = writeOnnx(graph);
    expect(opsOf(bytes)).toEqual(ops);
    const feed = ramp(...shape);
    const rows = toNumbers(feed);
    const expected: number[] = [];
    for (let at = 0; at < rows.length; at += 3) {
      for (const n of [0, 1]) {
        expected.push(
          [0, 1, 2].reduce((sum, k) => sum + rows[at + k] * weights[n * 3 + k], n === 0 ? 10 : 20),
        );
      }
    }
    const actual = toNumbers((await runOnnx(bytes, { x: feed })).y);
    expect(actual).toHaveLength(expected.length);
    for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i], 4);
  });

  it('writes permuted weights in order', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [2] });
      const w = builder.constant('w', permute(floatTensor([2, 3], [1, 2, 3, 4, 5, 6]), [1, 0]));
      builder.one('MatMul', [w, x], {}, { outputs: ['y'] });
    });
    const [w] = protoOf(writeOnnx(graph)).graph!.initializer;
    expect(w.dims).toEqual([3, 2]);
    expect([...new Float32Array(w.rawData!.slice().buffer)]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('does not write constants that nothing reads, and writes shared ones once', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [2] });
      builder.constant('unused', floatTensor([2], [1, 2]));
      const shared = builder.constant('shared', floatTensor([2], [3, 4]));
      const sum = builder.one('Add', [x, shared], { activation: 'none' });
      builder.one('Mul', [sum, shared], { activation: 'none' }, { outputs: ['y'] });
    });
    expect(protoOf(writeOnnx(graph)).graph!.initializer.map(({ name }) => name)).toEqual(['shared']);
  });

  it.each<[string, number, Record<string, TestInput>, TestModel['nodes'][number]['attrs']]>([
    ['Gelu', 20, { x: { shape: [2, 9] } }, {}],
    ['Gelu', 20, { x: { shape: [2, 9] } }, { approximate: { string: 'tanh' } }],
    ['Mish', 18, { x: { shape: [2, 9] } }, {}],
    ['HardSwish', 14, { x: { shape: [2, 9] } }, {}],
    ['ReduceMax', 18, { x: { shape: [2, 9] } }, { keepdims: { int: 0 } }],
  ])('says %s of opset %d in the words of opset 13', async (op, opset, inputs, attrs) => {
    await checkReadAndWrite(
      { opset, inputs, nodes: [{ op, inputs: ['x'], outputs: ['y'], attrs }], outputs: { y: 'float32' } },
      2e-6,
      13,
    );
  });

  it('writes layer normalization out below opset 17', async () => {
    await checkReadAndWrite(
      {
        opset: 17,
        inputs: { x: { shape: [2, 3, 8] } },
        constants: { s: ramp(8), b: ramp(8) },
        nodes: [{ op: 'LayerNormalization', inputs: ['x', 's', 'b'], outputs: ['y'] }],
        outputs: { y: 'float32' },
      },
      1e-5,
      13,
    );
  });
});

describe('quantized graphs', () => {
  /** x → Q → DQ → Conv with per-axis DQ weights → y. */
  function quantized(dtype: 'int8' | 'int16'): Graph {
    return graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 1, 2, 2] });
      const scale = builder.constant('x/scale', floatTensor([], [0.5]));
      const storage = dtype === 'int8' ? Int8Array.of(3) : Int16Array.of(0);
      const zero = builder.constant('x/zero', tensorOf(dtype, [], storage));
      const q = builder.one('QuantizeLinear', [x, scale, zero], { axis: 1 }, { outputs: ['xq'] });
      builder.quantize('xq', q.type, { scales: [0.5], zeroPoints: [3] });
      const dx = builder.one('DequantizeLinear', [builder.get('xq'), scale, zero], { axis: 1 });
      const w = builder.constant('w', tensorOf('int8', [2, 1, 1, 1], Int8Array.of(4, -8)), {
        scales: [0.25, 0.125],
        zeroPoints: [0, 0],
        axis: 0,
      });
      const scales = builder.constant('w/scale', floatTensor([2], [0.25, 0.125]));
      const zeros = builder.constant('w/zero', tensorOf('int8', [2], Int8Array.of(0, 0)));
      const dw = builder.one('DequantizeLinear', [w, scales, zeros], { axis: 0 });
      builder.one('Conv', [dx, dw, null], { ...conv }, { outputs: ['y'] });
    });
  }

  it('come back with the same parameters and the same results', async () => {
    const bytes = writeOnnx(quantized('int8'));
    const { y } = await runOnnx(bytes, { x: floatTensor([1, 1, 2, 2], [1.2, -0.3, 4, 100]) });
    // By hand: round(x / 0.5) + 3 within int8, back to reals, times 1 and −1.
    const reals = [1, -0.5, 4, 62];
    expect(toNumbers(y)).toEqual([...reals, ...reals.map((v) => -v)]);
    const graph = readValid(bytes);
    expect(graph.values.get('xq')?.quant).toEqual({ scales: [0.5], zeroPoints: [3] });
    expect(graph.values.get('w')).toMatchObject({
      type: { dtype: 'int8' },
      quant: { scales: [0.25, 0.125], zeroPoints: [0, 0], axis: 0 },
    });
  });

  it('take opset 21 for 16-bit integers, and refuse less', () => {
    expect(protoOf(writeOnnx(quantized('int16'))).opsetImport).toEqual([{ domain: '', version: 21 }]);
    expect(() => writeOnnx(quantized('int16'), { opset: 19 })).toThrow(/int16 values need opset 21/);
  });

  it('are refused where an integer value has no border', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'int8', shape: [2] }, { scales: [1], zeroPoints: [0] });
      builder.one('Relu', [x], {}, { name: 'r', outputs: ['y'] });
    });
    expect(() => writeOnnx(graph)).toThrow(
      /"x" is quantized; QuantizeLinear and DequantizeLinear must stand/,
    );
  });
});

describe('what ONNX cannot say', () => {
  it('is refused for every node at once', () => {
    const graph = graphOf((builder) => {
      const x = builder.input('x', { dtype: 'float32', shape: [1, 4, 4, 2] });
      const w = builder.constant('w', ramp(2, 2, 1, 1));
      const first = builder.one('Conv', [x, w, null], { ...conv, layout: 'NHWC' }, { name: 'one' });
      builder.one('Conv', [first, w, null], { ...conv, layout: 'NHWC' }, { name: 'two', outputs: ['y'] });
    });
    expect(() => writeOnnx(graph)).toThrow(/Conv "one".*the data is NHWC; ONNX needs NCHW.*\(and 1 more\)/);
  });

  it('is refused for opsets outside of the range', () => {
    expect(() => writeOnnx(convGraph({}), { opset: 12 })).toThrow(/opsets 13 to \d+, not 12/);
  });
});

it('keeps open dimensions open', () => {
  const graph = graphOf((builder) => {
    const x = builder.input('x', { dtype: 'float32', shape: [1, 'T'] });
    builder.one('Relu', [x], {}, { outputs: ['y'] });
  });
  const { declaredInputs } = readOnnxBytes(writeOnnx(graph), 'a.onnx');
  expect(declaredInputs).toEqual([{ name: 'x', dtype: 'float32', shape: [1, 'T'] }]);
});
