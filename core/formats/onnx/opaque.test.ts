/** Operators that the IR has no form for: what becomes of them, and of what stands around them. */
import { describe, expect, it } from 'vitest';
import { isOpaque } from '../../ir/opaque.ts';
import { floatTensor, int64Tensor, tensorOf, toFloat32 } from '../../ir/tensor.ts';
import { prepareForOnnx, prepareForTflite } from '../../passes/pipeline.ts';
import { feedsFor, modelBytes, readValid, runOnnx, type TestModel } from '../../testing/onnx-model.ts';
import { i, is, s, weights } from '../../testing/onnx-rows.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { readOnnxBytes } from './reader.ts';
import { modelTable, type NodeProto } from './schema.ts';
import { writeOnnx } from './writer.ts';

const bool = (value: number) => tensorOf('bool', [], Uint8Array.of(value));
const image = { shape: [1, 2, 4, 4] };

/** A convolution and its activation before and after an operator that only passes through. */
function between(
  node: TestModel['nodes'][number],
  constants: NonNullable<TestModel['constants']> = {},
  rest: Partial<TestModel> = {},
): TestModel {
  return {
    opset: 18,
    inputs: { x: image },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], name: 'conv' },
      { op: 'Relu', inputs: ['c'], outputs: ['r'], name: 'relu' },
      node,
      { op: 'Conv', inputs: ['o', 'v'], outputs: ['d'], name: 'conv2' },
      { op: 'Relu', inputs: ['d'], outputs: ['y'], name: 'relu2' },
    ],
    constants: { w: weights(3, 2, 1, 1), v: weights(2, 3, 1, 1), ...constants },
    outputs: { y: 'float32' },
    types: { o: { shape: [1, 3, 2, 2] } },
    ...rest,
  };
}

const resize = between(
  {
    op: 'Resize',
    inputs: ['r', 'region', 'scales'],
    outputs: ['o'],
    attrs: { mode: s('nearest'), coordinate_transformation_mode: s('tf_crop_and_resize') },
    name: 'shrink',
  },
  { scales: floatTensor([4], [1, 1, 0.5, 0.5]), region: floatTensor([8], [0, 0, 0, 0, 1, 1, 1, 1]) },
);

/** A loop that adds to a state what it reads from outside: a computed value and a constant. */
function loop(captured: string, names: { inner?: string } = {}): TestModel['nodes'][number] {
  const inner = names.inner ?? 'sum';
  return {
    op: 'Loop',
    inputs: ['count', 'yes', 'r'],
    outputs: ['o'],
    name: 'repeat',
    graphs: {
      body: {
        inputs: {
          step: { dtype: 'int64', shape: [] },
          going: { dtype: 'bool', shape: [] },
          state: { shape: [1, 3, 4, 4] },
        },
        nodes: [
          { op: 'Mul', inputs: [captured, 'half'], outputs: ['part'] },
          { op: 'Add', inputs: ['state', 'part'], outputs: [inner] },
          { op: 'ReduceMax', inputs: [inner], outputs: ['largest'], attrs: { keepdims: i(0) } },
          { op: 'Less', inputs: ['largest', 'limit'], outputs: ['on'] },
        ],
        outputs: { on: 'bool', [inner]: 'float32' },
      },
    },
  };
}

const loopConstants = {
  count: int64Tensor([], [3]),
  yes: bool(1),
  half: floatTensor([], [0.5]),
  limit: floatTensor([], [1e6]),
};
const sameSize = { types: { o: { shape: [1, 3, 4, 4] } } };

/** Each with the operators that pass through. */
const models: readonly (readonly [string, TestModel, readonly string[]])[] = [
  ['an option that has no form', resize, ['Resize']],
  [
    'an operator that has none, its type stated by nobody',
    {
      ...between(
        {
          op: 'RoiAlign',
          inputs: ['r', 'regions', 'images'],
          outputs: ['o'],
          attrs: { output_height: i(2), output_width: i(2) },
        },
        { regions: floatTensor([1, 4], [0, 0, 3, 3]), images: int64Tensor([1], [0]) },
      ),
      types: {},
    },
    ['RoiAlign'],
  ],
  [
    'a result whose size only the data tell',
    {
      opset: 18,
      inputs: { boxes: { shape: [1, 5, 4] }, scores: { shape: [1, 2, 5] } },
      nodes: [
        { op: 'NonMaxSuppression', inputs: ['boxes', 'scores', 'most'], outputs: ['picked'] },
        { op: 'Gather', inputs: ['picked', 'column'], outputs: ['which'], attrs: { axis: i(1) } },
        { op: 'Cast', inputs: ['which'], outputs: ['y'], attrs: { to: i(1) } },
      ],
      constants: { most: int64Tensor([1], [4]), column: int64Tensor([1], [2]) },
      outputs: { y: 'float32' },
      types: { picked: { dtype: 'int64', shape: ['n', 3] } },
    },
    ['NonMaxSuppression'],
  ],
  // The captured value is made by a convolution whose activation would be fused, and bears another name afterwards.
  ['a loop over what surrounds it', between(loop('c'), loopConstants, sameSize), ['Loop']],
  [
    'a loop over a value that a pass takes out',
    between({ ...loop('same') }, loopConstants, {
      ...sameSize,
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'Identity', inputs: ['c'], outputs: ['same'] },
        { op: 'Relu', inputs: ['c'], outputs: ['r'] },
        loop('same', { inner: 'c_' }),
        { op: 'Relu', inputs: ['o'], outputs: ['y'] },
      ],
    }),
    ['Loop'],
  ],
  [
    'a choice between results of unequal shapes',
    {
      opset: 18,
      inputs: { x: { shape: [2, 3] }, which: { dtype: 'bool', shape: [], values: [1] } },
      nodes: [
        { op: 'Neg', inputs: ['x'], outputs: ['n'] },
        {
          op: 'If',
          inputs: ['which'],
          outputs: ['z'],
          graphs: {
            then_branch: {
              nodes: [{ op: 'Add', inputs: ['n', 'x'], outputs: ['a'] }],
              outputs: { a: 'float32' },
            },
            else_branch: {
              nodes: [{ op: 'Reshape', inputs: ['n', 'flat'], outputs: ['b'] }],
              constants: { flat: int64Tensor([1], [-1]) },
              outputs: { b: 'float32' },
            },
          },
        },
        { op: 'Relu', inputs: ['z'], outputs: ['y'] },
      ],
      outputs: { y: 'float32' },
    },
    ['If', 'Relu'],
  ],
  [
    'channels last before and behind',
    {
      opset: 13,
      inputs: { x: { shape: [1, 4, 4, 2] } },
      nodes: [
        { op: 'Transpose', inputs: ['x'], outputs: ['first'], attrs: { perm: is(0, 3, 1, 2) } },
        { op: 'Conv', inputs: ['first', 'w'], outputs: ['c'] },
        { op: 'Transpose', inputs: ['c'], outputs: ['t'], attrs: { perm: is(0, 2, 3, 1) } },
        {
          op: 'RoiAlign',
          inputs: ['t', 'regions', 'images'],
          outputs: ['o'],
          attrs: { output_height: i(2), output_width: i(3) },
        },
        { op: 'Transpose', inputs: ['o'], outputs: ['y'], attrs: { perm: is(0, 3, 1, 2) } },
      ],
      constants: {
        w: weights(3, 2, 1, 1),
        regions: floatTensor([1, 4], [0, 0, 2, 3]),
        images: int64Tensor([1], [0]),
      },
      outputs: { y: 'float32' },
    },
    ['RoiAlign'],
  ],
  [
    'an opset in which an operator means something else than in what is written',
    {
      opset: 10,
      inputs: { x: { shape: [1, 1, 2, 2] }, scales: { shape: [4], values: [1, 1, 2, 3] } },
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'Resize', inputs: ['r', 'scales'], outputs: ['z'] },
        { op: 'Neg', inputs: ['z'], outputs: ['y'] },
      ],
      outputs: { y: 'float32' },
    },
    ['Relu', 'Resize', 'Neg'],
  ],
  [
    'an opset that is not read',
    {
      opset: 6,
      inputs: { x: { shape: [2, 3] } },
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
      outputs: { y: 'float32' },
    },
    ['Relu'],
  ],
];

describe('operators without a form in the IR pass through ONNX', () => {
  it.each(models)('%s', async (_, model, passed) => {
    const bytes = modelBytes(model);
    const feeds = feedsFor(model);
    const expected = await runOnnx(bytes, feeds);
    const { graph } = prepareForOnnx(readValid(bytes));
    const opaque = graph.nodes.filter(({ op }) => isOpaque(op)).map(({ op }) => op.replace('ai.onnx::', ''));
    expect(opaque).toEqual(passed);
    const results = await runOnnx(writeOnnx(graph), feeds);
    expect(results.y.shape).toEqual(expected.y.shape);
    const [a, b] = [toFloat32(results.y), toFloat32(expected.y)];
    for (const [k, value] of a.entries()) expect(Math.abs(value - b[k])).toBeLessThanOrEqual(1e-5);
  });
});

describe('an opaque node', () => {
  const custom: TestModel = {
    opset: 17,
    opsets: { 'com.example': 3 },
    inputs: { x: { shape: [2, 3] } },
    nodes: [
      {
        op: 'Mystery',
        domain: 'com.example',
        inputs: ['x', '', 'w'],
        outputs: ['a', '', 'b'],
        name: 'odd',
        attrs: {
          last: i(Number.MAX_SAFE_INTEGER),
          modes: { strings: ['größe', ''] },
          table: { tensor: floatTensor([2], [1, 2]) },
        },
      },
      { op: 'Add', inputs: ['a', 'b'], outputs: ['y'] },
    ],
    constants: { w: weights(2, 3) },
    outputs: { y: 'float32' },
    types: { a: { shape: ['N', 3] }, b: { shape: [2, 3] } },
  };

  const nodeOf = (bytes: Uint8Array, op: string) =>
    decode(bytes, modelTable).graph!.node.find(({ opType }) => opType === op)!;

  it('keeps what its message says, and the domain', () => {
    const source = modelBytes(custom);
    const written = writeOnnx(prepareForOnnx(readValid(source)).graph);
    expect(nodeOf(written, 'Mystery')).toEqual(nodeOf(source, 'Mystery'));
    expect(decode(written, modelTable).opsetImport).toContainEqual({ domain: 'com.example', version: 3 });
  });

  it('keeps tensors of any encoding, also those that the IR does not hold', () => {
    const model = decode(modelBytes(custom), modelTable);
    const typed = { dims: [2], dataType: 6, int32Data: [-1n, 7n], stringData: [], externalData: [] };
    const text = { dims: [1], dataType: 8, stringData: [new TextEncoder().encode('ä')], externalData: [] };
    const attribute = { name: 'typed', t: typed, type: 4, floats: [], ints: [], strings: [] };
    const odd = model.graph!.node[0];
    const node: NodeProto = { ...odd, input: ['x', 'text', 'w'], attribute: [attribute] };
    const graph = { ...model.graph!, node: [node, model.graph!.node[1]] };
    graph.initializer = [...graph.initializer, { ...text, name: 'text' }];
    const source = encode({ ...model, graph }, modelTable);
    const written = writeOnnx(prepareForOnnx(readValid(source)).graph);
    expect(nodeOf(written, 'Mystery').attribute).toEqual(nodeOf(source, 'Mystery').attribute);
    expect(nodeOf(written, 'Constant').attribute[0].t).toMatchObject({ ...text, name: 'text' });
  });

  it('has the types that the file states, and nobody reads it where there are none', () => {
    const stated = readValid(modelBytes(custom));
    expect(stated.nodes.map(({ op }) => op)).toEqual(['com.example::Mystery', 'Add']);
    expect(stated.values.get('a')?.type).toEqual({ dtype: 'float32', shape: ['N', 3] });
    const silent = readValid(modelBytes({ ...custom, types: {} }));
    expect(silent.nodes.map(({ op }) => op)).toEqual(['com.example::Mystery', 'ai.onnx::Add']);
  });

  it('is a warning when read, and refused with all causes at once for TFLite', () => {
    const model = {
      ...resize,
      opsets: { 'com.example': 1 },
      nodes: [...resize.nodes, ...custom.nodes.slice(0, 1)],
    };
    const { graph, issues } = readOnnxBytes(
      modelBytes({ ...model, constants: resize.constants }),
      'test.onnx',
    );
    expect(issues.map(({ severity, op }) => [severity, op])).toEqual([
      ['warning', 'Resize'],
      ['warning', 'com.example:Mystery'],
    ]);
    expect(() => prepareForTflite(graph!, { layout: 'keep' })).toThrow(
      /tf_crop_and_resize with mode = nearest.*com\.example:Mystery/,
    );
  });

  it('lets a subgraph read a value under another name where its own is taken inside', async () => {
    const model = models.find(([name]) => name.includes('takes out'))![1];
    const clash: TestModel = {
      ...model,
      nodes: model.nodes.map((node) => (node.op === 'Loop' ? loop('same', { inner: 'c' }) : node)),
    };
    const written = writeOnnx(prepareForOnnx(readValid(modelBytes(clash))).graph);
    const body = nodeOf(written, 'Loop').attribute[0].g!;
    const outer = decode(written, modelTable).graph!.node.flatMap(({ output }) => output);
    expect(outer).toContain(body.node[0].input[0]);
    expect(body.node[1].output).not.toContain(body.node[0].input[0]);
  });

  it('is written in no other opset than where it means the same', () => {
    const graph = readValid(modelBytes({ ...resize, nodes: resize.nodes }));
    expect(() => writeOnnx(prepareForOnnx(graph).graph, { opset: 21 })).not.toThrow();
    const older = readValid(modelBytes(models.find(([name]) => name.startsWith('channels last'))![1]));
    const { attribute } = nodeOf(writeOnnx(prepareForOnnx(older).graph, { opset: 21 }), 'RoiAlign');
    const mode = attribute.find(({ name }) => name === 'coordinate_transformation_mode');
    expect(new TextDecoder().decode(mode?.s)).toBe('output_half_pixel');
    const mean = { op: 'ReduceL1', inputs: ['x', 'axes'], outputs: ['y'], attrs: { odd: i(1) } };
    const reduced = { opset: 13, inputs: { x: image, axes: { dtype: 'int64' as const, shape: [1] } } };
    const old = readValid(modelBytes({ ...reduced, nodes: [mean], outputs: { y: 'float32' } }));
    expect(() => writeOnnx(prepareForOnnx(old).graph, { opset: 21 })).toThrow(
      /ReduceL1 of opset 13 means something else in opset 21/,
    );
  });
});
