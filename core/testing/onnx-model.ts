/** Builds ONNX files for tests, node by node as the format has them, and runs them before and after Whittle. */
import { expect } from 'vitest';
import { readOnnxBytes } from '../formats/onnx/reader.ts';
import {
  dataTypeOf,
  type GraphProto,
  irVersionFor,
  type ModelProto,
  modelTable,
  type NodeProto,
  type ValueInfoProto,
} from '../formats/onnx/schema.ts';
import { tensorToProto } from '../formats/onnx/tensors.ts';
import { attributeProto } from '../formats/onnx/write-context.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { encode } from '../formats/protobuf/wire.ts';
import type { DType } from '../ir/dtype.ts';
import type { Graph } from '../ir/graph.ts';
import { elementCount, type Tensor, toNumbers } from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import type { OnnxAttr } from '../ops/facets.ts';
import { tensorFrom } from '../ops/fold-helpers.ts';
import { createEngines } from '../runtime/engines.ts';

export interface TestNode {
  readonly op: string;
  /** Names; '' leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs?: Readonly<Record<string, OnnxAttr>>;
  readonly graphs?: Readonly<Record<string, TestGraph>>;
  readonly domain?: string;
  readonly name?: string;
  /** Attributes that take the value of a function's parameter: attribute name → parameter name. */
  readonly refs?: Readonly<Record<string, { readonly parameter: string; readonly type: number }>>;
}

export interface TestInput {
  readonly dtype?: DType;
  readonly shape: readonly (number | string)[];
  /** Elements to feed; else seeded uniform ones in [-1, 1]. */
  readonly values?: readonly number[];
}

export interface TestGraph {
  readonly nodes: readonly TestNode[];
  readonly inputs?: Readonly<Record<string, TestInput>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Names with element types. */
  readonly outputs: Readonly<Record<string, DType>>;
  /** What the file states of inner values; of outputs in the place of the element type alone. */
  readonly types?: Readonly<Record<string, TestInput>>;
}

export interface TestModel extends TestGraph {
  readonly opset: number;
  readonly opsets?: Readonly<Record<string, number>>;
  /** Written as graph inputs too, as files of IR version 3 do. */
  readonly repeatConstants?: boolean;
  readonly functions?: readonly TestFunction[];
}

export interface TestFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly TestNode[];
  /** Parameters with their defaults. */
  readonly defaults?: Readonly<Record<string, OnnxAttr>>;
  readonly opset?: number;
}

function valueInfo(name: string, dtype: DType, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: dataTypeOf(dtype), ...(dim && { shape: { dim } }) } } };
}

function nodeProto(node: TestNode): NodeProto {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.name,
    opType: node.op,
    domain: node.domain,
    attribute: [
      ...Object.entries(node.attrs ?? {}).map(([name, attr]) => attributeProto(name, attr)),
      ...Object.entries(node.refs ?? {}).map(([name, { parameter, type }]) => ({
        name,
        type,
        refAttrName: parameter,
        floats: [],
        ints: [],
        strings: [],
      })),
      ...Object.entries(node.graphs ?? {}).map(([name, graph]) => ({
        name,
        type: 5,
        g: graphProto(graph, name),
        floats: [],
        ints: [],
        strings: [],
      })),
    ],
  };
}

function graphProto(graph: TestGraph, name: string, repeatConstants = false): GraphProto {
  const constants = Object.entries(graph.constants ?? {});
  return {
    node: graph.nodes.map(nodeProto),
    name,
    initializer: constants.map(([id, tensor]) => tensorToProto(id, tensor)),
    sparseInitializer: [],
    input: [
      ...Object.entries(graph.inputs ?? {}).map(([id, { dtype, shape }]) =>
        valueInfo(id, dtype ?? 'float32', shape),
      ),
      ...(repeatConstants ? constants.map(([id, { dtype, shape }]) => valueInfo(id, dtype, shape)) : []),
    ],
    output: Object.entries(graph.outputs).map(([id, dtype]) =>
      valueInfo(id, dtype, graph.types?.[id]?.shape),
    ),
    valueInfo: Object.entries(graph.types ?? {})
      .filter(([id]) => !(id in graph.outputs))
      .map(([id, { dtype, shape }]) => valueInfo(id, dtype ?? 'float32', shape)),
  };
}

export function modelProto(model: TestModel): ModelProto {
  return {
    irVersion: model.repeatConstants ? 3 : irVersionFor(model.opset),
    opsetImport: Object.entries({ '': model.opset, ...model.opsets }).map(([domain, version]) => ({
      domain,
      version,
    })),
    producerName: 'test',
    graph: graphProto(model, 'test', model.repeatConstants),
    metadataProps: [],
    functions: (model.functions ?? []).map((body) => ({
      name: body.name,
      domain: body.domain,
      input: [...body.inputs],
      output: [...body.outputs],
      node: body.nodes.map(nodeProto),
      attributeProto: Object.entries(body.defaults ?? {}).map(([name, attr]) => attributeProto(name, attr)),
      opsetImport: [
        { domain: '', version: body.opset ?? model.opset },
        { domain: body.domain, version: 1 },
      ],
    })),
  };
}

export function modelBytes(model: TestModel): Uint8Array {
  return encode(modelProto(model), modelTable);
}

/** Seeded inputs for a model; an open dimension counts as 1. */
export function feedsFor(model: TestModel): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(model.inputs ?? {}).map(([name, { dtype = 'float32', shape, values }], i) => {
      const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
      const next = mulberry32(i + 1);
      const data = values ?? Array.from({ length: elementCount(dims) }, () => 2 * next() - 1);
      return [name, tensorFrom(dtype, dims, data)];
    }),
  );
}

export async function runOnnx(
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor>> {
  const session = await createEngines().ort.open(bytes, { graphOptimization: 'off' });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** Reads a model that must be free of faults. */
export function readValid(bytes: Uint8Array): Graph {
  const { graph, issues } = readOnnxBytes(bytes, 'test.onnx');
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  if (!graph) throw new Error('no graph');
  return graph;
}

/**
 * Runs a file in onnxruntime as it is, and again after it was read and written; checks that shapes are inferred as
 * they come out and that the results are the same.
 */
export async function checkReadAndWrite(model: TestModel, tolerance = 1e-6, opset?: number): Promise<Graph> {
  const bytes = modelBytes(model);
  const feeds = feedsFor(model);
  const expected = await runOnnx(bytes, feeds);
  const graph = readValid(bytes);
  const actual = await runOnnx(writeOnnx(graph, { opset }), feeds);
  for (const name of Object.keys(model.outputs)) {
    const type = graph.values.get(name)?.type;
    expect({ dtype: type?.dtype, shape: type?.shape }).toEqual({
      dtype: expected[name].dtype,
      shape: expected[name].shape,
    });
    const [a, b] = [toNumbers(actual[name]), toNumbers(expected[name])];
    expect(actual[name].shape).toEqual(expected[name].shape);
    const worst = a.reduce(
      (most, value, i) => (Object.is(value, b[i]) ? most : Math.max(most, Math.abs(value - b[i]))),
      0,
    );
    expect(worst, `${name}: [${a.slice(0, 8)}] for [${b.slice(0, 8)}]`).toBeLessThanOrEqual(tolerance);
  }
  return graph;
}
