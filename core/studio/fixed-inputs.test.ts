/** Inputs that are given a value for good: what depends on them folds, and the source is run with that value. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedShape, fixInputs } from '../formats/fix-inputs.ts';
import { readOnnxBytes } from '../formats/onnx/reader.ts';
import { readTfliteBytes } from '../formats/tflite/reader.ts';
import { floatTensor, int64Tensor, toFloat32, toNumbers } from '../ir/tensor.ts';
import { createEngines } from '../runtime/engines.ts';
import { modelBytes, type TestGraph, type TestNode } from '../testing/onnx-model.ts';
import { rowFile } from '../testing/tflite-rows.ts';
import { openSourceSession } from './float-reference.ts';
import { inspectModel } from './inspect.ts';
import { readSource } from './source-model.ts';

const branch = (inner: readonly TestNode[]): TestGraph => ({ nodes: inner, outputs: { chosen: 'float32' } });

/** Twice as many columns at 16000, half as many at any other rate. */
const byRate = modelBytes({
  opset: 17,
  inputs: { x: { shape: [1, 4] }, rate: { dtype: 'int64', shape: ['n'] } },
  constants: { high: int64Tensor([1], [16000]), axis: int64Tensor([1], [1]), two: int64Tensor([1], [2]) },
  nodes: [
    { op: 'Equal', inputs: ['rate', 'high'], outputs: ['is_high'] },
    {
      op: 'If',
      inputs: ['is_high'],
      outputs: ['y'],
      name: 'by_rate',
      graphs: {
        then_branch: branch([
          { op: 'Concat', inputs: ['x', 'x'], outputs: ['chosen'], attrs: { axis: { int: 1 } } },
        ]),
        else_branch: branch([
          { op: 'Slice', inputs: ['x', 'two', 'two', 'axis'], outputs: ['none'] },
          { op: 'Concat', inputs: ['none', 'x'], outputs: ['wide'], attrs: { axis: { int: 1 } } },
          { op: 'Neg', inputs: ['wide'], outputs: ['chosen'] },
        ]),
      },
    },
  ],
  outputs: { y: 'float32' },
});

let path: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-fixed-'));
  path = join(folder, 'by-rate.onnx');
  await writeFile(path, byRate);
});
afterAll(() => rm(folder, { recursive: true }));

describe('a fixed input', () => {
  it('is no input any more, and decides what depends on it', async () => {
    const view = await inspectModel(path, { fixed: { rate: 16000 } });
    expect(view.issues).toEqual([]);
    expect(view.source).toMatchObject({
      inputs: [{ name: 'x' }],
      outputs: [{ shape: [1, 8] }],
      fixed: [{ name: 'rate', dtype: 'int64' }],
    });
    expect(view.graph.opHistogram).toEqual({ Concat: 1, Identity: 1 });
  });

  it('is named where a choice depends on it', async () => {
    const { issues } = await inspectModel(path);
    expect(issues.find(({ op }) => op === 'If')?.hint).toContain('--fix rate=VALUE');
  });

  it('is fed to the source when that is run', async () => {
    const source = await readSource(path, { fixed: { rate: [8000] } });
    const session = await openSourceSession(source, () => source.graph!, createEngines());
    expect(session.inputs.map(({ name }) => name)).toEqual(['x']);
    const { y } = await session.run({ x: floatTensor([1, 4], [1, 2, 3, 4]) });
    await session.close();
    expect([...toFloat32(y)]).toEqual([-1, -2, -3, -4]);
  });

  it('of a TFLite file is a constant too', () => {
    const file = rowFile({
      name: 'sum',
      tensors: { x: { shape: [2] }, k: { shape: [2] }, y: { shape: [2] } },
      operators: [{ op: 'ADD', inputs: ['x', 'k'], outputs: ['y'], options: ['AddOptions', {}] }],
      inputs: ['x', 'k'],
      outputs: ['y'],
    });
    const { graph } = readTfliteBytes(file, 'sum', { fixed: { k: 3 } });
    expect(graph!.inputs).toEqual(['x']);
    expect(toNumbers(graph!.values.get('k')!.constant!)).toEqual([3, 3]);
  });

  it.each([
    [{ volume: 1 }, /"volume"; the model's inputs are "x", "rate"/],
    [{ rate: 0.5 }, /0.5 is no int64/],
    [{ x: [1, 2] }, /takes 4 numbers, not 2/],
    [{ x: 0, rate: 1 }, /one at least must be left/],
  ])('that cannot be is refused: %o', (fixed, message) => {
    const { issues } = readOnnxBytes(byRate, 'by-rate.onnx', { fixed });
    expect(issues.map((issue) => issue.message).join()).toMatch(message);
  });
});

describe('shapes and types of fixed inputs', () => {
  it.each([
    [[], 5, []],
    [['n'], 5, [1]],
    [
      ['n', 2],
      [1, 2, 3, 4, 5, 6],
      [3, 2],
    ],
    [undefined, [1, 2], [2]],
    [undefined, 7, []],
  ] as const)('%o filled with %o is %o', (dims, value, shape) => {
    expect(fixedShape(dims, value)).toEqual(shape);
  });

  it('takes whole numbers within the range of the type alone', () => {
    const types = new Map([
      ['a', { dtype: 'uint8' as const, shape: [] }],
      ['b', { dtype: 'bool' as const, shape: [2] }],
      ['c', { dtype: 'float32' as const, shape: [1] }],
    ]);
    expect(fixInputs(types, { a: 256, b: [0, 1] }).issues).toHaveLength(1);
    expect([...fixInputs(types, { a: 255, b: [1, 0] }).fixed.keys()]).toEqual(['a', 'b']);
  });
});
