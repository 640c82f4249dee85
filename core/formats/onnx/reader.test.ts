import { describe, expect, it } from 'vitest';
import { floatTensor, int64Tensor, toNumbers } from '../../ir/tensor.ts';
import { checkReadAndWrite, modelBytes, readValid, type TestModel } from '../../testing/onnx-model.ts';
import type { ReadOptions } from '../model-file.ts';
import { readOnnxBytes } from './reader.ts';

const weights = floatTensor([2, 3], [1, -2, 3, 0.5, 4, -1]);

/** x [N, 3] → Gemm → Relu → y. */
const small: TestModel = {
  opset: 13,
  nodes: [
    { op: 'Gemm', inputs: ['x', 'w'], outputs: ['h'], attrs: { transB: { int: 1 } }, name: 'dense' },
    { op: 'Relu', inputs: ['h'], outputs: ['y'], name: 'relu' },
  ],
  inputs: { x: { shape: [1, 3] } },
  constants: { w: weights },
  outputs: { y: 'float32' },
};

function issuesOf(model: TestModel, options?: ReadOptions) {
  return readOnnxBytes(modelBytes(model), 'test.onnx', options).issues;
}

describe('reading ONNX files', () => {
  it('keeps names, source and parameters', () => {
    const { graph, parameters, declaredInputs } = readOnnxBytes(modelBytes(small), 'test.onnx');
    expect(graph?.source).toMatchObject({ format: 'onnx', version: 'opset 13', opset: 13, producer: 'test' });
    expect(graph?.nodes.map(({ id, op, outputs }) => [id, op, outputs])).toEqual([
      ['dense', 'FullyConnected', ['h']],
      ['relu', 'Relu', ['y']],
    ]);
    expect(parameters).toBe(6);
    expect(declaredInputs).toEqual([{ name: 'x', dtype: 'float32', shape: [1, 3] }]);
  });

  it('takes initializers that are repeated as inputs for constants', async () => {
    const graph = await checkReadAndWrite({
      ...small,
      opset: 8,
      repeatConstants: true,
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      constants: { w: floatTensor([3, 2], [1, 2, 3, 4, 5, 6]) },
    });
    expect(graph.inputs).toEqual(['x']);
  });

  it('puts nodes in order that are not', () => {
    const graph = readValid(modelBytes({ ...small, nodes: [...small.nodes].reverse() }));
    expect(graph.nodes.map(({ id }) => id)).toEqual(['dense', 'relu']);
  });

  it('computes shapes that the file computes', async () => {
    const graph = await checkReadAndWrite({
      opset: 13,
      inputs: { x: { shape: [2, 3, 4] } },
      constants: { zero: int64Tensor([1], [0]), last: int64Tensor([1], [-1]) },
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['batch'] },
        { op: 'Concat', inputs: ['batch', 'last'], outputs: ['wanted'], attrs: { axis: { int: 0 } } },
        { op: 'Reshape', inputs: ['x', 'wanted'], outputs: ['y'] },
      ],
      outputs: { y: 'float32' },
    });
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Reshape']);
    expect(toNumbers(graph.values.get('wanted')!.constant!)).toEqual([2, -1]);
  });

  it('reads the tensor of a Constant from each of its attributes', async () => {
    await checkReadAndWrite({
      opset: 13,
      inputs: { x: { shape: [2] } },
      nodes: [
        { op: 'Constant', inputs: [], outputs: ['a'], attrs: { value_float: { float: 2 } } },
        { op: 'Constant', inputs: [], outputs: ['b'], attrs: { value_floats: { floats: [3, 4] } } },
        { op: 'Constant', inputs: [], outputs: ['c'], attrs: { value_ints: { ints: [1, 2] } } },
        { op: 'Constant', inputs: [], outputs: ['d'], attrs: { value: { tensor: floatTensor([1], [5]) } } },
        { op: 'Mul', inputs: ['x', 'a'], outputs: ['p'] },
        { op: 'Add', inputs: ['p', 'b'], outputs: ['q'] },
        { op: 'Add', inputs: ['q', 'd'], outputs: ['r'] },
        { op: 'Reshape', inputs: ['r', 'c'], outputs: ['y'] },
      ],
      outputs: { y: 'float32' },
    });
  });

  it('makes an output of a value that other names stand for', async () => {
    await checkReadAndWrite({
      opset: 13,
      inputs: { x: { shape: [3] } },
      constants: { yes: { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) } },
      nodes: [
        {
          op: 'If',
          inputs: ['yes'],
          outputs: ['y'],
          graphs: {
            then_branch: { nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['t'] }], outputs: { t: 'float32' } },
            else_branch: { nodes: [{ op: 'Abs', inputs: ['x'], outputs: ['e'] }], outputs: { e: 'float32' } },
          },
        },
      ],
      outputs: { y: 'float32' },
    });
  });

  it.each([1, -1])('computes both branches of an If on an input (%d) and says so', async (first) => {
    const model: TestModel = {
      opset: 13,
      inputs: { x: { shape: [2], values: [first, 2] } },
      constants: { limit: floatTensor([], [0]), zero: int64Tensor([], [0]) },
      nodes: [
        { op: 'Gather', inputs: ['x', 'zero'], outputs: ['head'] },
        { op: 'Greater', inputs: ['head', 'limit'], outputs: ['positive'] },
        {
          op: 'If',
          inputs: ['positive'],
          outputs: ['y'],
          graphs: {
            then_branch: { nodes: [{ op: 'Exp', inputs: ['x'], outputs: ['r'] }], outputs: { r: 'float32' } },
            else_branch: { nodes: [{ op: 'Abs', inputs: ['x'], outputs: ['r'] }], outputs: { r: 'float32' } },
          },
        },
      ],
      outputs: { y: 'float32' },
    };
    await checkReadAndWrite(model);
    expect(issuesOf(model)).toMatchObject([{ severity: 'warning', op: 'If' }]);
  });

  it('names a node that fails, not the branches that read what it should have made', () => {
    const branch = (op: string) => ({
      nodes: [{ op, inputs: ['product'], outputs: ['r'] }],
      outputs: { r: 'float32' as const },
    });
    const model: TestModel = {
      opset: 13,
      inputs: { x: { shape: [2, 3] }, yes: { shape: [], dtype: 'bool', values: [1] } },
      nodes: [
        { op: 'MatMul', inputs: ['x', 'x'], outputs: ['product'], name: 'wrong' },
        {
          op: 'If',
          inputs: ['yes'],
          outputs: ['y'],
          graphs: { then_branch: branch('Exp'), else_branch: branch('Abs') },
        },
      ],
      outputs: { y: 'float32' },
    };
    expect(issuesOf(model)).toMatchObject([{ severity: 'error', node: 'wrong' }]);
  });
});

describe('open dimensions', () => {
  const open = (shape: (number | string)[], more: TestModel['inputs'] = {}): TestModel => ({
    opset: 13,
    inputs: { x: { shape }, ...more },
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    outputs: { y: 'float32' },
  });
  const shapeOf = (model: TestModel, options?: ReadOptions) =>
    readOnnxBytes(modelBytes(model), 'test.onnx', options).graph?.values.get('y')?.type.shape;

  it('takes a leading one for the batch, 1', () => {
    expect(shapeOf(open(['N', 3, 8, 8]))).toEqual([1, 3, 8, 8]);
    expect(issuesOf(open(['N', 3, 8, 8]))).toEqual([]);
  });

  it('uses the shapes that are given, the batch included', () => {
    expect(shapeOf(open(['N', 3, 'H', 'W']), { shapes: { x: [2, 3, 4, 5] } })).toEqual([2, 3, 4, 5]);
  });

  it('reports all that stay open as one issue and keeps the graph', () => {
    const model = open(['N', 3, 'H', '?'], { z: { shape: ['N', 'T'] } });
    const { graph, issues } = readOnnxBytes(modelBytes(model), 'test.onnx');
    expect(graph?.values.get('y')?.type.shape).toEqual([1, 3, 'H', 'x.3']);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'model.dynamic-dims', severity: 'error' });
    expect(issues[0].message).toContain('"x" [1, 3, H, ?] (axes 2, 3); "z" [1, T] (axis 1)');
  });

  it('gives dimensions of one name one size', () => {
    const model = open(['N', 'T'], { z: { shape: [2, 'N'] } });
    const { graph } = readOnnxBytes(modelBytes(model), 'test.onnx', { shapes: { x: [4, 7] } });
    expect(graph?.values.get('z')?.type.shape).toEqual([2, 4]);
  });

  it.each([
    ['a fixed dimension', { x: [1, 4, 8, 8] }, /axis 1 is 3 in the model/],
    ['the rank', { x: [1, 3, 8] }, /declares 4 dimensions/],
    ['an unknown input', { q: [1] }, /the model's inputs are "x"/],
  ])('refuses a shape that contradicts %s', (_, shapes, message) => {
    expect(
      issuesOf(open(['N', 3, 'H', 'W']), { shapes })
        .map((issue) => issue.message)
        .join(),
    ).toMatch(message);
  });
});

describe('faults in a model are all named at once', () => {
  it('lists every unknown operator with domain, count and names', () => {
    const issues = issuesOf({
      ...small,
      opsets: { custom: 1 },
      nodes: [
        { op: 'Quant', domain: 'custom', inputs: ['x'], outputs: ['a'], name: 'q1' },
        { op: 'Quant', domain: 'custom', inputs: ['a'], outputs: ['b'], name: 'q2' },
        { op: 'RoiAlign', inputs: ['b'], outputs: ['c'], name: 'roi' },
        { op: 'Relu', inputs: ['b'], outputs: ['y'] },
      ],
    });
    expect(issues.map(({ code, op }) => [code, op])).toEqual([
      ['model.unsupported-operator', 'custom:Quant'],
      ['model.unsupported-operator', 'RoiAlign'],
      ['model.unsupported-option', 'ai.onnx::Relu'],
    ]);
    expect(issues[2].message).toMatch(/1 more operator stays.*does not say/);
    expect(issues[0].message).toMatch(/custom:Quant.*2 nodes use it: "q1", "q2"/);
  });

  it.each<[string, Partial<TestModel>, RegExp]>([
    [
      'a cycle',
      {
        nodes: [
          { op: 'Add', inputs: ['x', 'b'], outputs: ['a'], name: 'first' },
          { op: 'Relu', inputs: ['a'], outputs: ['b'], name: 'second' },
          { op: 'Relu', inputs: ['b'], outputs: ['y'], name: 'third' },
        ],
      },
      /"first", "second", "third" wait for each other/,
    ],
    [
      'a name that nothing defines',
      { nodes: [{ op: 'Relu', inputs: ['nowhere'], outputs: ['y'], name: 'r' }] },
      /reads "nowhere"/,
    ],
    ['an output that is never made', { outputs: { z: 'float32' } }, /output "z" is made by no node/],
    [
      'a name defined twice',
      { nodes: [...small.nodes, { op: 'Relu', inputs: ['x'], outputs: ['h'] }] },
      /"h" is defined twice/,
    ],
    [
      'shapes that do not fit',
      { nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'], name: 'm' }] },
      /m \(MatMul\)/,
    ],
    [
      'an attribute of the wrong kind',
      { nodes: [{ op: 'LeakyRelu', inputs: ['x'], outputs: ['y'], attrs: { alpha: { int: 1 } } }] },
      /alpha is not of kind float/,
    ],
    ['an opset that is too new', { opset: 99 }, /opset 99/],
    [
      'an index out of range',
      {
        constants: { w: weights, at: int64Tensor([], [9]) },
        nodes: [{ op: 'Gather', inputs: ['w', 'at'], outputs: ['y'] }],
      },
      /index 9 is outside an axis of size 2/,
    ],
  ])('%s', (_, change, message) => {
    const { graph, issues } = readOnnxBytes(modelBytes({ ...small, ...change }), 'test.onnx');
    expect(graph).toBeUndefined();
    expect(issues.map((issue) => issue.message).join('\n')).toMatch(message);
    expect(issues.every(({ severity }) => severity === 'error')).toBe(true);
  });
});
