import { describe, expect, it } from 'vitest';
import type { Graph } from '../../ir/graph.ts';
import { smallFile, smallNet } from '../../testing/tflite-files.ts';
import { dumpTflite } from './dump.ts';
import { decodeModel, encodeModel } from './flatbuffer.ts';
import { builtinCode } from './options.ts';
import { readTfliteBytes } from './reader.ts';
import type { Draft } from './schema.ts';
import { writeTflite } from './writer.ts';

function readGraph(bytes: Uint8Array, shapes?: Record<string, number[]>): Graph {
  const { graph, issues } = readTfliteBytes(bytes, 'test', { shapes });
  if (!graph) throw new Error(issues.map(({ message }) => message).join('; '));
  return graph;
}

/** The small file with parts of its tables replaced. */
function changed(change: (model: Draft<'Model'>) => Draft<'Model'>): Uint8Array {
  return encodeModel(change(decodeModel(smallFile())));
}

function withSubgraph(change: (subgraph: Draft<'SubGraph'>) => Draft<'SubGraph'>): Uint8Array {
  return changed((model) => ({ ...model, subgraphs: model.subgraphs!.map(change) }));
}

function openInput(axes: readonly number[]): Uint8Array {
  return withSubgraph((subgraph) => ({
    ...subgraph,
    tensors: subgraph.tensors!.map((tensor) =>
      tensor.name === 'image'
        ? { ...tensor, shape_signature: tensor.shape!.map((dim, axis) => (axes.includes(axis) ? -1 : dim)) }
        : tensor,
    ),
  }));
}

describe('readTflite', () => {
  it('reads the written net: operators, names, layout', () => {
    const graph = readGraph(smallFile());
    expect(graph.inputs).toEqual(['image']);
    expect(graph.outputs).toEqual(['scores']);
    expect(graph.nodes.map(({ op }) => op)).toEqual([
      'Conv',
      'Pad',
      'Conv',
      'ReduceMean',
      'FullyConnected',
      'Softmax',
    ]);
    expect(graph.nodes[0].attrs).toMatchObject({
      layout: 'NHWC',
      pads: [1, 1, 1, 1],
      group: 1,
      activation: 'relu6',
    });
    expect(graph.nodes[2].attrs).toMatchObject({ group: 4, strides: [2, 2] });
    expect(graph.source).toMatchObject({ format: 'tflite', metadata: { min_runtime_version: '1.6.0' } });
  });

  it('writes the same file again', () => {
    const again = writeTflite(readGraph(smallFile()), { description: 'a small net' });
    const [before, after] = [smallFile(), again.bytes].map(dumpTflite);
    expect(
      after.subgraphs[0].operators.map(({ op, version, options }) => ({ op, version, options })),
    ).toEqual(before.subgraphs[0].operators.map(({ op, version, options }) => ({ op, version, options })));
    const data = (dump: typeof before) =>
      dump.subgraphs[0].tensors.flatMap((tensor) => tensor.data ?? []).sort();
    expect(data(after)).toEqual(data(before));
    expect(again.minRuntime).toBe(writeTflite(smallNet()).minRuntime);
  });

  it('counts the weights', () => {
    expect(readTfliteBytes(smallFile(), 'test').parameters).toBe(4 * 27 + 4 + 4 * 9 + 4 + 8 + 2);
  });

  it('takes an open batch for 1, or as given', () => {
    const file = openInput([0]);
    expect(readTfliteBytes(file, 'test').declaredInputs[0].shape).toEqual(['batch', 8, 8, 3]);
    expect(readGraph(file).values.get('scores')?.type.shape).toEqual([1, 2]);
    expect(readGraph(file, { image: [5, 8, 8, 3] }).values.get('scores')?.type.shape).toEqual([5, 2]);
  });

  it('reports other open dimensions, and takes them as given', () => {
    const file = openInput([0, 1, 2]);
    const { graph, issues } = readTfliteBytes(file, 'test');
    expect(graph).toBeUndefined();
    expect(issues.map(({ code, node }) => [code, node])).toEqual([['model.dynamic-dims', 'image']]);
    expect(issues[0].message).toContain('axes 1, 2');
    expect(readGraph(file, { image: [1, 16, 16, 3] }).nodes).toHaveLength(6);
  });

  it('refuses shapes that do not fit, and names that are no inputs', () => {
    const issues = readTfliteBytes(smallFile(), 'test', {
      shapes: { image: [1, 9, 9, 3], nothing: [1] },
    }).issues;
    expect(issues.map(({ code }) => code)).toEqual(['usage', 'usage']);
  });

  it('names custom operators and unknown ones, all at once', () => {
    const file = changed((model) => ({
      ...model,
      operator_codes: model.operator_codes!.map((code, i) => {
        if (i === 0) return { ...code, builtin_code: 32, deprecated_builtin_code: 32, custom_code: 'MyOp' };
        if (i === 1) return { ...code, builtin_code: builtinCode('SVDF'), deprecated_builtin_code: 27 };
        return code;
      }),
    }));
    const { graph, issues } = readTfliteBytes(file, 'test');
    expect(graph).toBeUndefined();
    expect(issues.map(({ message }) => message).join('\n')).toMatch(/MyOp[\s\S]*SVDF/);
  });

  it('reads the first signature, and names the others', () => {
    const file = changed((model) => ({
      ...model,
      subgraphs: [...model.subgraphs!, { ...model.subgraphs![0], name: 'encoder' }],
      signature_defs: [
        { ...model.signature_defs![0], signature_key: 'encode', subgraph_index: 1 },
        { ...model.signature_defs![0], signature_key: 'decode' },
      ],
    }));
    const { graph, issues } = readTfliteBytes(file, 'test');
    expect(graph?.outputs).toEqual(['scores']);
    expect(issues.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', 'The file has 2 signatures; "encode" is read, "decode" is not.'],
    ]);
  });

  it('reads quantized values with their scales', () => {
    const quantization = { scale: [0.5], zero_point: [-3] };
    const file = withSubgraph((subgraph) => ({
      ...subgraph,
      tensors: subgraph.tensors!.map((tensor) =>
        tensor.name === 'scores' || tensor.name === 'dense' ? { ...tensor, type: 9, quantization } : tensor,
      ),
    }));
    const { type, quant } = readGraph(file).values.get('scores')!;
    expect(type.dtype).toBe('int8');
    expect(quant).toEqual({ scales: [0.5], zeroPoints: [-3] });
  });

  it('names tensors by themselves where the file has no signature', () => {
    const file = changed((model) => ({ ...model, signature_defs: undefined }));
    expect(readGraph(file).inputs).toEqual(['image']);
  });
});
