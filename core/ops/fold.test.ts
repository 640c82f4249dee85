import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import type { DType, TypedArray } from '../ir/dtype.ts';
import type { Attrs } from '../ir/graph.ts';
import { type Tensor, tensorOf, typedData } from '../ir/tensor.ts';
import { runInOrt } from '../testing/check-op.ts';
import { definitionOf, inferTypes } from './registry.ts';

const reals = (shape: number[], ...values: number[]) => tensorOf('float32', shape, Float32Array.from(values));
const longs = (shape: number[], ...values: (number | bigint)[]) =>
  tensorOf('int64', shape, BigInt64Array.from(values, BigInt));
const ints = (shape: number[], ...values: number[]) => tensorOf('int32', shape, Int32Array.from(values));
const bools = (shape: number[], ...values: number[]) => tensorOf('bool', shape, Uint8Array.from(values));

const x = reals([2, 3], -2.5, -0.5, 0.5, 1.5, 2.5, 7.25);
const y = reals([3], 2, -3, 0.1);
const none: Attrs = { activation: 'none' };
const big = 2n ** 62n + 1n;

/** Constant folding must do what the operator does on that type. */
const rows: { op: string; inputs: Tensor[]; attrs?: Attrs }[] = [
  ...['Add', 'Sub', 'Mul', 'Div'].map((op) => ({ op, inputs: [x, y], attrs: none })),
  ...['Add', 'Sub', 'Mul', 'Div'].map((op) => ({
    op,
    inputs: [longs([4], -7, 7, 9, big), longs([1], 2)],
    attrs: none,
  })),
  { op: 'Div', inputs: [ints([4], -7, 7, -8, 1), ints([], 2)], attrs: none },
  { op: 'Add', inputs: [x, y], attrs: { activation: 'relu6' } },
  ...['Max', 'Min'].flatMap((op) => [
    { op, inputs: [x, y] },
    { op, inputs: [longs([3], 1, big, -big), longs([1], big - 1n)] },
  ]),
  { op: 'Pow', inputs: [reals([3], 1.5, 2, 3), reals([], 2)] },
  ...['Equal', 'Greater', 'Less'].flatMap((op) => [
    { op, inputs: [x, reals([], 0.5)] },
    { op, inputs: [longs([3], big, big - 1n, 3), longs([1], big)] },
  ]),
  ...['And', 'Or'].map((op) => ({ op, inputs: [bools([4], 0, 0, 1, 1), bools([4], 0, 1, 0, 1)] })),
  { op: 'Not', inputs: [bools([2], 0, 1)] },
  ...['Abs', 'Neg', 'Floor', 'Ceil', 'Round'].map((op) => ({ op, inputs: [x] })),
  ...['Exp', 'Sin', 'Cos'].map((op) => ({ op, inputs: [x] })),
  ...['Log', 'Sqrt', 'Reciprocal'].map((op) => ({ op, inputs: [reals([3], 0.25, 2, 10)] })),
  { op: 'Neg', inputs: [longs([2], big, -3)] },
  ...['int64', 'int32', 'bool', 'float64'].map((to) => ({ op: 'Cast', inputs: [x], attrs: { to } })),
  { op: 'Cast', inputs: [longs([2], -3, 300)], attrs: { to: 'uint8' } },
  { op: 'Where', inputs: [bools([2, 1], 0, 1), x, y] },
];

function plain(tensor: Tensor): (number | bigint)[] {
  return Array.from(typedData(tensor) as TypedArray as ArrayLike<number | bigint>);
}

describe('folding', () => {
  it.each(rows.map((row) => ({ ...row, type: row.inputs[0].dtype as DType })))(
    '$op of $type does what onnxruntime does',
    async ({ op, inputs, attrs }) => {
      const builder = new GraphBuilder('fold', inferTypes);
      const feeds: Record<string, Tensor> = {};
      const values = inputs.map((tensor, i) => {
        feeds[`x${i}`] = tensor;
        return builder.input(`x${i}`, { dtype: tensor.dtype, shape: tensor.shape });
      });
      const [output] = builder.add(op, values, attrs, { outputs: ['y'] });
      const expected = await runInOrt(builder.finish(['y'], { format: 'onnx' }), feeds);
      const [folded] = definitionOf(op)!.fold!(inputs, attrs ?? {}, [output.type]);
      expect(folded.dtype).toBe(expected.y.dtype);
      expect(folded.shape).toEqual(expected.y.shape);
      const [got, want] = [plain(folded), plain(expected.y)];
      if (folded.dtype !== 'float32') expect(got).toEqual(want);
      else for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(Number(value), 6);
    },
  );
});
