/** Builds TFLite files for tests, operator by operator as the format has them, and runs them before and after Whittle. */
import { encodeModel } from '../formats/tflite/flatbuffer.ts';
import { builtinCode, optionsTables } from '../formats/tflite/options.ts';
import { readTfliteBytes } from '../formats/tflite/reader.ts';
import type { Draft } from '../formats/tflite/schema.ts';
import type { DType } from '../ir/dtype.ts';
import type { Graph } from '../ir/graph.ts';
import { elementCount, type Tensor } from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import { tensorFrom } from '../ops/fold-helpers.ts';
import { tensorTypeCode } from '../ops/tflite-types.ts';
import { prepareForOnnx } from '../passes/pipeline.ts';
import { createEngines } from '../runtime/engines.ts';
import { expectClose, runInLiteRt, runInOrt } from './check-op.ts';

export interface RowTensor {
  readonly shape: readonly number[];
  /** Complex tensors stand between operators only. */
  readonly dtype?: DType | 'complex64';
  /** Present for a constant. */
  readonly values?: readonly number[];
  readonly quant?: { readonly scale: readonly number[]; readonly zero_point: readonly number[] };
  readonly sparsity?: Draft<'SparsityParameters'>;
}

export interface RowOperator {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly options?: readonly [table: string, fields: Readonly<Record<string, unknown>>];
  readonly version?: number;
}

export interface RowGraph {
  /** Inputs, constants and inner tensors by name. */
  readonly tensors: Readonly<Record<string, RowTensor>>;
  readonly operators: readonly RowOperator[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface FileRow extends RowGraph {
  readonly name: string;
  /** Further subgraphs, from index 1. */
  readonly called?: readonly RowGraph[];
  readonly tolerance?: number;
}

/** Random constants where a row gives none of its own. */
export function wave(shape: readonly number[], seed: number): number[] {
  const next = mulberry32(seed);
  return Array.from({ length: elementCount(shape) }, () => 2 * next() - 1);
}

/** The file of a row, without a signature. */
export function rowFile(row: FileRow): Uint8Array {
  const buffers: Draft<'Buffer'>[] = [{}];
  const codes: Draft<'OperatorCode'>[] = [];
  const subgraph = (graph: RowGraph): Draft<'SubGraph'> => {
    const names = Object.keys(graph.tensors);
    const at = (name: string) => (name === '' ? -1 : names.indexOf(name));
    return {
      name: 'graph',
      tensors: names.map((name): Draft<'Tensor'> => {
        const { shape, dtype = 'float32', values, quant, sparsity } = graph.tensors[name];
        if (values) buffers.push({ data: tensorFrom(dtype as DType, [values.length], values).bytes });
        const buffer = values ? buffers.length - 1 : 0;
        return { name, shape, type: tensorTypeCode(dtype), buffer, quantization: quant, sparsity };
      }),
      inputs: graph.inputs.map(at),
      outputs: graph.outputs.map(at),
      operators: graph.operators.map(({ op, inputs, outputs, options, version = 1 }) => {
        const code = builtinCode(op);
        codes.push({ deprecated_builtin_code: Math.min(code, 127), builtin_code: code, version });
        return {
          opcode_index: codes.length - 1,
          inputs: inputs.map(at),
          outputs: outputs.map(at),
          builtin_options_type: options ? optionsTables.indexOf(options[0]) : 0,
          builtin_options: options?.[1],
        };
      }),
    };
  };
  const subgraphs = [row, ...(row.called ?? [])].map(subgraph);
  return encodeModel({ version: 3, operator_codes: codes, subgraphs, buffers });
}

export function readRow(row: FileRow): Graph {
  const { graph, issues } = readTfliteBytes(rowFile(row), row.name);
  if (!graph) throw new Error(issues.map(({ message }) => message).join('; '));
  return graph;
}

/** Runs a row's file in LiteRT, and what is read from it in onnxruntime and, written again, in LiteRT. */
export async function checkRow(row: FileRow): Promise<void> {
  const feeds: Record<string, Tensor> = {};
  row.inputs.forEach((name, i) => {
    const { shape, dtype = 'float32' } = row.tensors[name];
    feeds[name] = tensorFrom(dtype as DType, shape, wave(shape, 100 + i));
  });
  const session = await (await createEngines().tflite()).open(rowFile(row));
  const expected = await session.run(feeds);
  await session.close();
  const graph = readRow(row);
  const onnx = await runInOrt(prepareForOnnx(graph).graph, feeds);
  const { results } = await runInLiteRt(graph, feeds);
  for (const name of row.outputs) {
    expectClose(onnx[name], expected[name], row.tolerance ?? 1e-5);
    expectClose(results[name], expected[name], row.tolerance ?? 1e-5);
  }
}
