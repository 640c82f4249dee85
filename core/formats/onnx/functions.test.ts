import { describe, expect, it } from 'vitest';
import { checkReadAndWrite, modelBytes, type TestModel } from '../../testing/onnx-model.ts';
import { readOnnxBytes } from './reader.ts';

/** y = leaky(x) + x, twice, with a function inside of a function. */
const model: TestModel = {
  opset: 17,
  opsets: { local: 1 },
  inputs: { x: { shape: [2, 3] } },
  functions: [
    {
      domain: 'local',
      name: 'Bend',
      inputs: ['v'],
      outputs: ['r'],
      defaults: { slope: { float: 0.25 } },
      nodes: [
        { op: 'LeakyRelu', inputs: ['v'], outputs: ['r'], refs: { alpha: { parameter: 'slope', type: 1 } } },
      ],
    },
    {
      domain: 'local',
      name: 'Residual',
      inputs: ['v'],
      outputs: ['r'],
      nodes: [
        { op: 'Bend', domain: 'local', inputs: ['v'], outputs: ['inside'], name: 'bend' },
        { op: 'Add', inputs: ['v', 'inside'], outputs: ['r'] },
      ],
    },
  ],
  nodes: [
    { op: 'Residual', domain: 'local', inputs: ['x'], outputs: ['h'], name: 'first' },
    { op: 'Residual', domain: 'local', inputs: ['h'], outputs: ['g'], name: 'second' },
    { op: 'Bend', domain: 'local', inputs: ['g'], outputs: ['y'], attrs: { slope: { float: 0.5 } } },
  ],
  outputs: { y: 'float32' },
};

describe('functions of a model', () => {
  it('are written out with their parameters, calls within calls too', async () => {
    const graph = await checkReadAndWrite(model);
    expect(graph.nodes.map(({ op, attrs }) => (op === 'Add' ? op : attrs.alpha))).toEqual([
      0.25,
      'Add',
      0.25,
      'Add',
      0.5,
    ]);
    expect(graph.nodes.map(({ outputs }) => outputs[0])).toContain('h');
  });

  it('that call themselves are refused', () => {
    const endless: TestModel = {
      ...model,
      functions: [
        {
          domain: 'local',
          name: 'Residual',
          inputs: ['v'],
          outputs: ['r'],
          nodes: [
            { op: 'Residual', domain: 'local', inputs: ['v'], outputs: ['a'] },
            { op: 'Residual', domain: 'local', inputs: ['a'], outputs: ['r'] },
          ],
        },
      ],
    };
    expect(() => readOnnxBytes(modelBytes(endless), 'endless.onnx')).toThrow(/without end/);
  });

  it('of another opset than the model are refused', () => {
    const other = { ...model, functions: model.functions?.map((body) => ({ ...body, opset: 13 })) };
    expect(() => readOnnxBytes(modelBytes(other), 'other.onnx')).toThrow(
      /written for opset 13 .* the model is of opset 17/,
    );
  });
});
