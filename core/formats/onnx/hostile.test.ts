import { describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { floatTensor } from '../../ir/tensor.ts';
import { modelBytes, modelProto, type TestModel } from '../../testing/onnx-model.ts';
import { encode } from '../protobuf/wire.ts';
import { readOnnxBytes } from './reader.ts';
import { type ModelProto, modelTable } from './schema.ts';

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

function edited(edit: (proto: ModelProto) => void): Uint8Array {
  const proto = modelProto(small);
  edit(proto);
  return encode(proto, modelTable);
}

describe('hostile bytes', () => {
  it('refuses a file that ends early, wherever it ends', () => {
    const file = modelBytes(small);
    for (let length = 0; length < file.length; length++) {
      const cut = () => readOnnxBytes(file.slice(0, length), 'cut.onnx');
      let outcome: string;
      try {
        const { graph, issues } = cut();
        outcome = graph ? `a graph of ${graph.nodes.length} nodes` : (issues[0]?.code ?? 'nothing');
      } catch (error) {
        expect(error).toBeInstanceOf(WhittleError);
        outcome = (error as WhittleError).code;
      }
      expect(['format.damaged', 'model.invalid', 'format.unsupported'], `cut at ${length}`).toContain(
        outcome,
      );
    }
  });

  it.each<[string, (proto: ModelProto) => void, RegExp]>([
    [
      'a tensor with more data than its shape',
      (proto) => {
        proto.graph!.initializer[0].dims = [2, 2];
      },
      /needs 16 bytes; the file has 24/,
    ],
    [
      'a tensor of astronomic size',
      (proto) => {
        proto.graph!.initializer[0].dims = [2 ** 40, 2 ** 40];
      },
      /impossible shape/,
    ],
    [
      'a negative dimension',
      (proto) => {
        proto.graph!.initializer[0].dims = [-2, -3];
      },
      /impossible shape/,
    ],
    [
      'a type that is not held',
      (proto) => {
        proto.graph!.initializer[0].dataType = 17;
      },
      /float8e4m3fn/,
    ],
    [
      'a type number out of range',
      (proto) => {
        proto.graph!.initializer[0].dataType = 4711;
      },
      /type 4711/,
    ],
    [
      'a tensor without data',
      (proto) => {
        proto.graph!.initializer[0].rawData = undefined;
      },
      /needs 24 bytes; the file has 0/,
    ],
    [
      'an input that is no tensor',
      (proto) => {
        proto.graph!.input[0].type = {};
      },
      /no tensor/,
    ],
    [
      'a constant of endless length',
      (proto) => {
        proto.graph!.node[1] = { ...proto.graph!.node[1], opType: 'ConstantOfShape', input: ['big'] };
        proto.graph!.initializer.push({
          name: 'big',
          dims: [1],
          dataType: 7,
          rawData: new Uint8Array(new BigInt64Array([2n ** 50n]).buffer),
          stringData: [],
          externalData: [],
        });
        proto.graph!.node.push({ opType: 'Reshape', input: ['x', 'y'], output: ['z'], attribute: [] });
        proto.graph!.output[0].name = 'z';
      },
      /shape/,
    ],
  ])('names %s', (_, edit, message) => {
    let text = '';
    try {
      text = readOnnxBytes(edited(edit), 'test.onnx')
        .issues.map((issue) => issue.message)
        .join('\n');
    } catch (error) {
      expect(error).toBeInstanceOf(WhittleError);
      text = (error as WhittleError).message;
    }
    expect(text).toMatch(message);
  });

  it('refuses text', () => {
    expect(() => readOnnxBytes(new TextEncoder().encode('hello, world'), 'a.txt')).toThrow(
      /not a complete ONNX file/,
    );
  });
});
