import { expect } from 'vitest';
import type { Value } from '../ir/graph.ts';
import { toFloat32 } from '../ir/tensor.ts';
import { prepareForOnnx, prepareForTflite } from '../passes/pipeline.ts';
import { expectClose, runInLiteRt, runInOrt } from './check-op.ts';
import { GraphKit, histogram } from './graph-kit.ts';

/** A graph, and the operators that the passes leave of it. */
export interface FormCase {
  readonly name: string;
  build(kit: GraphKit): Value[];
  /** Operators of the ONNX form. */
  readonly onnx: Readonly<Record<string, number>>;
  /** Operators of the TFLite form, where they differ. */
  readonly tflite?: Readonly<Record<string, number>>;
}

/** Expects these operators, the names of the source, and its results in onnxruntime and LiteRT. */
export async function expectForms({ build, onnx, tflite }: FormCase): Promise<void> {
  const kit = new GraphKit();
  const graph = kit.finish(...build(kit));
  const expected = await runInOrt(graph, kit.feeds);

  const onnxForm = prepareForOnnx(graph).graph;
  expect(histogram(onnxForm)).toEqual(onnx);
  const tfliteForm = prepareForTflite(graph, { layout: 'keep' }).graph;
  if (tflite) expect(histogram(tfliteForm)).toEqual(tflite);
  expect(tfliteForm.outputs).toEqual(graph.outputs);

  const inOrt = await runInOrt(onnxForm, kit.feeds);
  const inLiteRt = await runInLiteRt(graph, kit.feeds);
  for (const name of graph.outputs) {
    const size = toFloat32(expected[name]).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expectClose(inOrt[name], expected[name], 2e-6 * size);
    expectClose(inLiteRt.results[name], expected[name], 2e-6 * size);
  }
}
