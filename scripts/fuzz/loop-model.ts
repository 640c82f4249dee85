/** A small ONNX model with a loop over what surrounds it and an operator of another domain: both only pass through. */
import {
  type AttributeProto,
  type GraphProto,
  modelTable,
  type NodeProto,
  type ValueInfoProto,
} from '../../core/formats/onnx/schema.ts';
import { tensorToProto } from '../../core/formats/onnx/tensors.ts';
import { encode } from '../../core/formats/protobuf/wire.ts';
import { int64Tensor, tensorOf } from '../../core/ir/tensor.ts';

const [float, int64, bool] = [1, 7, 9];

function info(name: string, elemType: number, dims: readonly number[]): ValueInfoProto {
  const dim = dims.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function node(opType: string, input: string[], output: string[], rest: Partial<NodeProto> = {}): NodeProto {
  return { opType, input, output, name: output[0], attribute: [], ...rest };
}

function attribute(name: string, type: number, rest: Partial<AttributeProto>): AttributeProto {
  return { name, type, floats: [], ints: [], strings: [], ...rest };
}

const shape = [2, 3];

const body: GraphProto = {
  name: 'body',
  node: [
    node('Mul', ['outer', 'state'], ['part']),
    node('Add', ['state', 'part'], ['sum']),
    node('Identity', ['going'], ['on']),
  ],
  initializer: [],
  sparseInitializer: [],
  input: [info('step', int64, []), info('going', bool, []), info('state', float, shape)],
  output: [info('on', bool, []), info('sum', float, shape)],
};

export function loopModel(): Uint8Array {
  const ints = attribute('sizes', 7, { ints: [1, Number.MAX_SAFE_INTEGER] });
  const graph: GraphProto = {
    name: 'loop',
    node: [
      node('Relu', ['x'], ['outer']),
      node('Loop', ['count', 'yes', 'outer'], ['turned'], { attribute: [attribute('body', 5, { g: body })] }),
      node('Mystery', ['turned', ''], ['other', 'more'], { domain: 'com.example', attribute: [ints] }),
      node('Tanh', ['other'], ['y']),
    ],
    initializer: [
      tensorToProto('count', int64Tensor([], [2])),
      tensorToProto('yes', tensorOf('bool', [], Uint8Array.of(1))),
    ],
    sparseInitializer: [],
    input: [info('x', float, shape)],
    output: [info('y', float, shape)],
    valueInfo: [info('turned', float, shape), info('other', float, shape)],
  };
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: 'com.example', version: 1 },
  ];
  return encode({ irVersion: 8, opsetImport, graph, metadataProps: [], functions: [] }, modelTable);
}
