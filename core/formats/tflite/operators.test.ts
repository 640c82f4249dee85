/** What the families' tables leave out: every choice that the TFLite writers make between several forms. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs } from '../../ir/graph.ts';
import { inferTypes } from '../../ops/registry.ts';
import { createEngines } from '../../runtime/engines.ts';
import {
  checkOp,
  expectClose,
  ints,
  type OpCase,
  runInLiteRt,
  scalar,
  weight,
  x,
} from '../../testing/check-op.ts';
import { GraphKit } from '../../testing/graph-kit.ts';
import { readTfliteBytes } from './reader.ts';
import { writeTflite } from './writer.ts';

const resize = (mode: string, coordinateTransformation: string, nearestMode = 'floor'): Attrs => ({
  mode,
  coordinateTransformation,
  nearestMode,
  cubicCoeffA: -0.75,
});
const average = (attrs: Attrs): Attrs => ({
  layout: 'NCHW',
  strides: [2, 2],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
  kernelShape: [3, 3],
  ceilMode: false,
  countIncludePad: false,
  activation: 'none',
  ...attrs,
});
const constant64 = (shape: number[], values: number[]) =>
  ({ shape, values, dtype: 'int64', constant: true }) as const;
const computed64 = (shape: number[], values: number[]) => ({ shape, values, dtype: 'int64' }) as const;

const pools: OpCase[] = [
  ['pads that SAME has', { strides: [1, 1], pads: [1, 1, 1, 1] }, { TRANSPOSE: 2, AVERAGE_POOL_2D: 1 }],
  ['pads of its own', { pads: [1, 1, 1, 1] }, undefined],
  ['counted pads', { pads: [1, 1, 1, 1], countIncludePad: true }, undefined],
  ['windows over the end', { ceilMode: true, pads: [1, 0, 1, 0] }, undefined],
  [
    'counted pads and windows over the end',
    { ceilMode: true, pads: [0, 1, 1, 1], countIncludePad: true },
    undefined,
  ],
].map(([name, attrs, builtins]) => ({
  name: `average, ${name}`,
  op: 'AveragePool',
  inputs: [x(1, 2, 8, 9)],
  attrs: average(attrs as Attrs),
  builtins: builtins as OpCase['builtins'],
}));

const resizes: OpCase[] = ['half_pixel', 'asymmetric', 'align_corners'].flatMap((transformation) =>
  ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].flatMap((nearest) =>
    [
      [8, 10],
      [6, 7],
      [3, 2],
    ].map((size) => ({
      name: `nearest ${transformation} ${nearest} to ${size.join('x')}`,
      op: 'Resize',
      inputs: [x(1, 2, 4, 5), ints(1, 2, ...size)],
      attrs: resize('nearest', transformation, nearest),
    })),
  ),
);

const limits: OpCase[] = [
  ['RELU6', 0, 6],
  ['RELU', 0, undefined],
  ['RELU_N1_TO_1', -1, 1],
].map(([builtin, low, high]) => ({
  name: `clip as ${builtin}`,
  op: 'Clip',
  inputs: [
    { shape: [1, 9], range: [-8, 8] },
    scalar(low as number),
    high === undefined ? null : scalar(high as number),
  ],
  builtins: { [builtin as string]: 1 },
}));

const indexing: OpCase[] = [false, true].flatMap((constant): OpCase[] => {
  const index = constant ? constant64 : computed64;
  const end = constant ? -1 : 3;
  return [
    {
      name: 'GatherElements',
      op: 'GatherElements',
      inputs: [x(4, 3), index([2, 3], [0, 2, 1, end, 0, 1])],
      attrs: { axis: 0 },
    },
    {
      name: 'GatherND',
      op: 'GatherND',
      inputs: [x(2, 4, 3), index([2, 2], [0, 1, 1, end])],
      attrs: { batchDims: 0 },
    },
    {
      name: 'GatherND in batches',
      op: 'GatherND',
      inputs: [x(2, 4, 3), index([2, 1], [1, end])],
      attrs: { batchDims: 1 },
    },
    {
      name: 'ScatterElements',
      op: 'ScatterElements',
      inputs: [x(4, 3), index([2, 3], [0, 2, 1, end, 0, 2]), x(2, 3)],
      attrs: { axis: 0, reduction: 'none' },
    },
    {
      name: 'ScatterND',
      op: 'ScatterND',
      inputs: [x(4, 3), index([2, 1], [0, end]), x(2, 3)],
      attrs: { reduction: 'add' },
    },
    {
      name: 'OneHot',
      op: 'OneHot',
      inputs: [computed64([2, 2], [0, -1, 2, 7]), ints(4), { shape: [2], values: [0.5, 2], constant: true }],
      attrs: { axis: 1 },
    },
  ].map((row) => ({
    ...row,
    name: `${row.name}, ${constant ? 'constant' : 'computed'} indices`,
  })) as OpCase[];
});

const others: OpCase[] = [
  {
    name: 'transpose of axes of length 1',
    op: 'Transpose',
    inputs: [x(1, 1, 4, 3)],
    attrs: { perm: [0, 2, 1, 3] },
    builtins: { RESHAPE: 1 },
  },
  {
    name: 'edge padding',
    op: 'Pad',
    inputs: [x(1, 3, 4), ints(0, 2, 1, 0, 1, 3), null],
    attrs: { mode: 'edge' },
  },
  {
    name: 'padding that crops',
    op: 'Pad',
    inputs: [x(1, 5, 6), ints(0, -1, 2, 0, 1, -2), scalar(1.5)],
    attrs: { mode: 'constant' },
  },
  { name: 'slice backwards', op: 'Slice', inputs: [x(2, 6), ints(-1), ints(-100), ints(1), ints(-2)] },
  {
    name: 'a slope for all is a leaky relu',
    op: 'PRelu',
    inputs: [x(1, 4, 4, 2), weight(1)],
    builtins: { LEAKY_RELU: 1 },
  },
  { name: 'softmax over another axis', op: 'Softmax', inputs: [x(2, 5, 3)], attrs: { axis: 1 } },
  { name: 'softplus far out', op: 'Softplus', inputs: [{ shape: [1, 5], values: [-200, -20, 0, 20, 200] }] },
  { name: 'row times matrix', op: 'MatMul', inputs: [x(4), x(4, 3)] },
  {
    name: 'the smallest two',
    op: 'TopK',
    inputs: [x(2, 5, 3), ints(2)],
    attrs: { axis: 1, largest: false },
    outputs: 2,
  },
  {
    name: 'remainder of the dividend',
    op: 'Mod',
    inputs: [{ shape: [9], range: [-9, 9] }, scalar(2.5)],
    attrs: { truncated: true },
  },
];

describe('TFLite forms of an operator in LiteRT equal onnxruntime', () => {
  it.each([...pools, ...resizes, ...limits, ...indexing, ...others])('$name', checkOp);
});

describe('a net that was written, read and written again', () => {
  it('computes the same', async () => {
    const kit = new GraphKit(3, 'NHWC');
    const image = kit.input(1, 8, 8, 3);
    const conv = kit.relu6(kit.conv(image, 4, 3, { strides: [2, 2], pads: [1, 1, 1, 1] }));
    const up = kit.convTranspose(conv, 4, 3, { strides: [2, 2], pads: [1, 1, 0, 0] });
    const pooled = kit.pool('AveragePool', kit.op('HardSwish', [up]), 2);
    const gate = kit.binary('Mul', pooled, kit.op('Sigmoid', [kit.globalMean(pooled, true)]));
    const joined = kit.op('Concat', [gate, kit.op('Tanh', [gate])], { axis: 3 });
    const graph = kit.finish(kit.op('Softmax', [kit.dense(kit.flatten(joined), 5)], { axis: -1 }, 'y'));
    const { results } = await runInLiteRt(graph, kit.feeds);
    const { graph: read, issues } = readTfliteBytes(writeTflite(graph).bytes, 'net');
    expect(issues).toEqual([]);
    const session = await (await createEngines().tflite()).open(writeTflite(read!).bytes);
    const again = await session.run(kit.feeds);
    await session.close();
    expectClose(again.y, results.y, 1e-6);
  });

  it('keeps the half precision of weights through the reader', () => {
    const builder = new GraphBuilder('half', inferTypes);
    const input = builder.input('x', { dtype: 'float32', shape: [1, 2] });
    const half = builder.constant('w16', {
      dtype: 'float16',
      shape: [1, 2],
      bytes: Uint8Array.of(0, 0x3c, 0, 0xc0),
    });
    const wide = builder.one('Cast', [half], { to: 'float32' });
    const y = builder.one('FullyConnected', [input, wide, null], { activation: 'none' }, { name: 'y' });
    const { graph } = readTfliteBytes(writeTflite(builder.finish([y.id], { format: 'keras' })).bytes, 'half');
    const weights = graph!.values.get(graph!.nodes[0].inputs[1]!)!.constant!;
    expect([...new Float32Array(weights.bytes.slice().buffer)]).toEqual([1, -2]);
  });
});
