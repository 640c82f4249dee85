/** Rows of operator tables: one ONNX node each, run in onnxruntime before and after Whittle read and wrote it. */
import { describe, it } from 'vitest';
import { floatTensor, int64Tensor, type Tensor } from '../ir/tensor.ts';
import type { OnnxAttr } from '../ops/facets.ts';
import { checkReadAndWrite, type TestInput, type TestModel } from './onnx-model.ts';

export interface Row {
  op: string;
  opset: number;
  /** Where that is not ai.onnx: in its version 1. */
  domain?: string;
  /** Numbers are shapes of float inputs; tensors are initializers; null leaves an input out. */
  inputs: readonly (readonly number[] | TestInput | Tensor | null)[];
  attrs?: Record<string, OnnxAttr>;
  outputs?: number;
  /** Further outputs of the operator, which nothing reads. */
  left?: number;
  outputType?: TestModel['outputs'][string];
  tolerance?: number;
  note?: string;
}

export const i = (int: number): OnnxAttr => ({ int });
export const is = (...ints: number[]): OnnxAttr => ({ ints });
export const f = (float: number): OnnxAttr => ({ float });
export const s = (string: string): OnnxAttr => ({ string });
export const int64 = (...values: number[]): Tensor => int64Tensor([values.length], values);
export const scalar = (value: number): Tensor => floatTensor([], [value]);
export const scalar64 = (value: number): Tensor => int64Tensor([], [value]);
export const floats = (shape: number[], ...values: number[]): Tensor => floatTensor(shape, values);
export const bools = (...values: number[]): TestInput => ({ dtype: 'bool', shape: [values.length], values });
export const weights = (...shape: number[]): Tensor => {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return floatTensor(
    shape,
    Array.from({ length: count }, (_, k) => Math.sin(k * 1.7 + 0.3)),
  );
};

function modelOf(row: Row): TestModel {
  const inputs: Record<string, TestInput> = {};
  const constants: Record<string, Tensor> = {};
  const names = row.inputs.map((value, k) => {
    if (value === null) return '';
    if ('bytes' in value) constants[`c${k}`] = value;
    else inputs[`x${k}`] = 'shape' in value ? value : { shape: value };
    return 'bytes' in value ? `c${k}` : `x${k}`;
  });
  const outputs = Array.from({ length: row.outputs ?? 1 }, (_, k) => `y${k}`);
  return {
    opset: row.opset,
    opsets: row.domain === undefined ? undefined : { [row.domain]: 1 },
    nodes: [
      {
        op: row.op,
        domain: row.domain,
        inputs: names,
        outputs: [...outputs, ...Array.from({ length: row.left ?? 0 }, (_, k) => `left${k}`)],
        attrs: row.attrs,
        name: 'n',
      },
    ],
    inputs,
    constants,
    outputs: Object.fromEntries(outputs.map((name) => [name, row.outputType ?? 'float32'])),
  };
}

/** Checks each row of a table against onnxruntime on the original file. */
export function describeRows(what: string, rows: readonly Row[]): void {
  describe(`ONNX ${what} mean the same after reading and writing`, () => {
    it.each(
      rows.map(
        (row) =>
          [`${row.op} ${row.opset} ${JSON.stringify(row.attrs ?? {})} ${row.note ?? ''}`, row] as const,
      ),
    )('%s', async (_, row) => {
      await checkReadAndWrite(modelOf(row), row.tolerance);
    });
  });
}
