/** Operators that make tensors from shapes and numbers. */
import { elementCount, int64Tensor, tensorOf, toNumbers, typedData } from '../../ir/tensor.ts';
import type { OpDefinition } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { constantNumbers, derivedDim, requiredInput } from '../infer-helpers.ts';
import { emptyArray, indices } from '../pick-elements.ts';
import type { OpAttrs } from '../vocabulary.ts';
import { openShape } from './reshape.op.ts';
import { resolveSlice, sliceLength } from './slice-ranges.ts';

/** The axes that Shape reports. */
export function shapeSpan(attrs: OpAttrs['Shape'], rank: number): { start: number; length: number } {
  const range = resolveSlice({ start: attrs.start, end: attrs.end ?? rank, step: 1 }, rank);
  return { start: range.start, length: sliceLength(range) };
}

const Shape: OpDefinition<OpAttrs['Shape']> = {
  summary: 'The shape of x as a vector.',
  infer(context) {
    const x = requiredInput(context, 0, 'x');
    return [{ dtype: 'int64', shape: [shapeSpan(context.attrs, x.type.shape.length).length] }];
  },
  fold([x], attrs) {
    const { start, length } = shapeSpan(attrs, x!.shape.length);
    return [int64Tensor([length], x!.shape.slice(start, start + length))];
  },
  layout: { kind: 'fixed' },
  quant: {
    inputs: [{ kind: 'activation' }],
    outputs: [{ kind: 'plain' }],
    tflite: { int8: true, int16x8: true, dynamicInt8: false },
  },
};

const ConstantOfShape: OpDefinition<OpAttrs['ConstantOfShape']> = {
  summary: 'A tensor of a given shape, filled with one value.',
  infer(context) {
    const shape = requiredInput(context, 0, 'shape');
    return [
      {
        dtype: context.attrs.value?.dtype ?? 'float32',
        shape: constantNumbers(shape) ?? openShape(context, 0),
      },
    ];
  },
  fold(_inputs, attrs, [type]) {
    const shape = type.shape as number[];
    const data = emptyArray(type.dtype, elementCount(shape));
    if (attrs.value) data.fill(typedData(attrs.value)[0] as never);
    return [tensorOf(type.dtype, shape, data)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

/** ONNX Range: max(ceil((limit − start) / delta), 0) elements. */
function rangeLength([start, limit, delta]: readonly number[]): number {
  return Math.max(0, Math.ceil((limit - start) / delta));
}

const Range: OpDefinition<OpAttrs['Range']> = {
  summary: 'Numbers from start up to limit, by delta.',
  infer(context) {
    const start = requiredInput(context, 0, 'start');
    const numbers = context.inputs.map((value) => constantNumbers(value)?.[0]);
    const known = numbers.every((value): value is number => value !== undefined) && numbers.length === 3;
    if (known && numbers[2] === 0) context.fail('delta is 0');
    const length = known ? rangeLength(numbers as number[]) : derivedDim(context.node, 0);
    return [{ dtype: start.type.dtype, shape: [length] }];
  },
  fold(inputs, _attrs, [type]) {
    const numbers = inputs.map((tensor) => toNumbers(tensor!)[0]);
    const values = indices(rangeLength(numbers)).map((i) => numbers[0] + i * numbers[2]);
    return [tensorFrom(type.dtype, [values.length], values)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

export const generateDefinitions = { Shape, ConstantOfShape, Range };
