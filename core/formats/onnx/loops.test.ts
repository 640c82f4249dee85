/** Loops that are written out, against onnxruntime. */
import { describe, expect, it } from 'vitest';
import { floatTensor, int64Tensor, tensorOf } from '../../ir/tensor.ts';
import { checkReadAndWrite, modelBytes, readValid, type TestModel } from '../../testing/onnx-model.ts';
import { readOnnxBytes } from './reader.ts';

const yes = tensorOf('bool', [], Uint8Array.of(1));

/** Doubles a state and adds what surrounds the loop; each turn also gives its state less its number. */
function looped(most: string, first: string, body: TestModel['nodes'], end: string): TestModel {
  return {
    opset: 17,
    inputs: { x: { shape: [2, 3] } },
    constants: {
      three: int64Tensor([], [3]),
      one: int64Tensor([], [1]),
      yes,
      two: floatTensor([], [2]),
    },
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['n'] },
      {
        op: 'Loop',
        inputs: [most, first, 'x'],
        outputs: ['y', 'rows'],
        name: 'repeat',
        graphs: {
          body: {
            inputs: {
              step: { dtype: 'int64', shape: [] },
              going: { dtype: 'bool', shape: [] },
              state: { shape: [2, 3] },
            },
            nodes: [
              { op: 'Mul', inputs: ['state', 'two'], outputs: ['twice'] },
              { op: 'Add', inputs: ['twice', 'n'], outputs: ['sum'] },
              { op: 'Cast', inputs: ['step'], outputs: ['number'], attrs: { to: { int: 1 } } },
              { op: 'Sub', inputs: ['sum', 'number'], outputs: ['row'] },
              ...body,
            ],
            outputs: { [end]: 'bool', sum: 'float32', row: 'float32' },
          },
        },
      },
    ],
    outputs: { y: 'float32', rows: 'float32' },
  };
}

const always: TestModel['nodes'] = [{ op: 'Identity', inputs: ['going'], outputs: ['on'] }];
const twoTurns: TestModel['nodes'] = [{ op: 'Less', inputs: ['step', 'one'], outputs: ['on'] }];

describe('a loop with a known end', () => {
  it.each([
    ['a number of turns', looped('three', 'yes', always, 'on'), 3],
    ['a condition that a counter answers', looped('', 'yes', twoTurns, 'on'), 2],
    ['no first condition', looped('three', '', always, 'on'), 3],
  ])('is written out: %s', async (_, model, turns) => {
    const graph = await checkReadAndWrite(model);
    expect(graph.nodes.filter(({ op }) => op === 'Add')).toHaveLength(turns);
  });

  it('may stand in another one', async () => {
    const inner = looped('three', 'yes', always, 'on');
    const body: TestModel['nodes'] = [
      { op: 'Loop', inputs: ['three', 'yes', 'sum'], outputs: ['deep', 'deep_rows'], graphs: renamed(inner) },
      { op: 'ReduceSum', inputs: ['deep_rows'], outputs: ['total'], attrs: { keepdims: { int: 0 } } },
      { op: 'Less', inputs: ['total', 'total'], outputs: ['never'] },
      { op: 'Identity', inputs: ['going'], outputs: ['on'] },
    ];
    const graph = readValid(modelBytes(looped('three', 'yes', body, 'on')));
    expect(graph.nodes.filter(({ op }) => op === 'Add').length).toBe(3 + 9);
  });
});

function renamed(model: TestModel) {
  const graphs = model.nodes[1].graphs!;
  const rename = (text: string) =>
    text.replaceAll(/"(step|going|state|twice|sum|number|row|on)"/g, '"inner_$1"');
  return JSON.parse(rename(JSON.stringify(graphs))) as typeof graphs;
}

describe('a loop whose end is an input', () => {
  const model = looped('count', 'yes', always, 'on');
  const open = modelBytes({ ...model, inputs: { ...model.inputs, count: { dtype: 'int64', shape: [] } } });

  it('passes through, and says which input to fix', () => {
    const { graph, issues } = readOnnxBytes(open, 'loop.onnx');
    expect(graph!.nodes.map(({ op }) => op)).toContain('ai.onnx::Loop');
    expect(issues.find(({ op }) => op === 'Loop')?.hint).toContain('--fix count=VALUE');
  });

  it('is written out once that is fixed', () => {
    const { graph, issues } = readOnnxBytes(open, 'loop.onnx', { fixed: { count: 2 } });
    expect(issues).toEqual([]);
    expect(graph!.nodes.filter(({ op }) => op === 'Add')).toHaveLength(2);
  });
});
