import { expect } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { DType } from '../ir/dtype.ts';
import type { Session } from '../ir/engine.ts';
import type { Attrs, Graph } from '../ir/graph.ts';
import {
  elementCount,
  floatTensor,
  int64Tensor,
  permute,
  type Tensor,
  tensorOf,
  toFloat32,
} from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import { inferTypes } from '../ops/registry.ts';
import { prepareForTflite } from '../passes/pipeline.ts';
import { createEngines } from '../runtime/engines.ts';

/** One operand of an operator under test. */
export interface Operand {
  shape: readonly number[];
  dtype?: DType;
  /** Given elements; else seeded uniform ones in `range`. */
  values?: readonly number[];
  /** Default [-1, 1]. */
  range?: readonly [number, number];
  /** Known before the model runs: weights, axes, shapes. */
  constant?: boolean;
}

/** One row of an operator's table: what it computes in onnxruntime, it must compute in LiteRT. */
export interface OpCase {
  name: string;
  op: string;
  inputs: readonly (Operand | null)[];
  attrs?: Attrs;
  outputs?: number;
  /** Largest absolute difference; default 1e-5. */
  tolerance?: number;
  /** Builtins that the file must be made of, when that matters. */
  builtins?: Readonly<Record<string, number>>;
}

/** A weight, an axis list, a shape: operands that are constants. */
export const weight = (...shape: number[]): Operand => ({ shape, constant: true });
export const ints = (...values: number[]): Operand => ({
  shape: [values.length],
  dtype: 'int64',
  values,
  constant: true,
});
export const scalar = (value: number): Operand => ({ shape: [], values: [value], constant: true });
export const x = (...shape: number[]): Operand => ({ shape });

function tensorFor(operand: Operand, seed: number): Tensor {
  const count = elementCount(operand.shape);
  const [low, high] = operand.range ?? [-1, 1];
  const next = mulberry32(seed);
  const values = operand.values ?? Array.from({ length: count }, () => low + (high - low) * next());
  switch (operand.dtype ?? 'float32') {
    case 'float32':
      return floatTensor(operand.shape, values);
    case 'int64':
      return int64Tensor(operand.shape, values);
    case 'int32':
      return tensorOf('int32', operand.shape, Int32Array.from(values));
    case 'bool':
      return tensorOf('bool', operand.shape, Uint8Array.from(values));
    default:
      throw new Error(`no test data of type ${operand.dtype}`);
  }
}

function build(testCase: OpCase): { graph: Graph; feeds: Record<string, Tensor> } {
  const builder = new GraphBuilder(testCase.name, inferTypes);
  const feeds: Record<string, Tensor> = {};
  const inputs = testCase.inputs.map((operand, i) => {
    if (!operand) return null;
    const tensor = tensorFor(operand, i + 1);
    if (operand.constant) return builder.constant(`c${i}`, tensor);
    feeds[`x${i}`] = tensor;
    return builder.input(`x${i}`, { dtype: tensor.dtype, shape: tensor.shape });
  });
  const names = Array.from({ length: testCase.outputs ?? 1 }, (_, i) => `y${i}`);
  builder.add(testCase.op, inputs, testCase.attrs, { outputs: names });
  return { graph: builder.finish(names, { format: 'onnx', opset: 19 }), feeds };
}

/** Runs a graph's ONNX form as it stands, without the runtime's own rewrites. */
export async function runInOrt(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await createEngines().ort.open(writeOnnx(graph), { graphOptimization: 'off' });
  return runAndClose(session, feeds);
}

/** Runs a graph as a written .tflite. Operands keep the source's layout. */
export async function runInLiteRt(
  graph: Graph,
  feeds: Record<string, Tensor>,
): Promise<{ results: Record<string, Tensor>; operators: Readonly<Record<string, number>> }> {
  const written = writeTflite(prepareForTflite(graph, { layout: 'keep' }).graph);
  const session = await (await createEngines().tflite()).open(written.bytes);
  const typed = Object.fromEntries(
    session.inputs.map((port) => [port.name, narrowed(feeds[port.name], port.dtype)]),
  );
  return { results: await runAndClose(session, typed), operators: written.operators };
}

/** TFLite files take 32-bit integers where the IR has 64-bit ones. */
function narrowed(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype || dtype !== 'int32') return tensor;
  return tensorOf('int32', tensor.shape, Int32Array.from(toFloat32(tensor)));
}

async function runAndClose(session: Session, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** Checks one row: LiteRT's answer for the written file equals onnxruntime's for the operator. */
export async function checkOp(testCase: OpCase): Promise<void> {
  const { graph, feeds } = build(testCase);
  const expected = await runInOrt(graph, feeds);
  const { results, operators } = await runInLiteRt(graph, feeds);
  for (const name of graph.outputs) expectClose(results[name], expected[name], testCase.tolerance ?? 1e-5);
  if (testCase.builtins) expect(operators).toEqual(testCase.builtins);
}

export function expectClose(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  const a = toFloat32(actual);
  const b = toFloat32(expected);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) !== Number.isNaN(b[i])) worst = Number.POSITIVE_INFINITY;
    else if (a[i] !== b[i]) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** A spatial tensor's channels moved to the end, as NHWC files take it. */
export function toChannelsLast(tensor: Tensor): Tensor {
  const rank = tensor.shape.length;
  return permute(tensor, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
}
