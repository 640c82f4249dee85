/** Reductions over axes. */
import { elementCount, int64Tensor, type Tensor, tensorOf, toNumbers, typedData } from '../../ir/tensor.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import { constantNumbers, normalizeAxes, normalizeAxis, requiredInput } from '../infer-helpers.ts';
import { emptyArray, indices } from '../pick-elements.ts';
import type { ReduceAttrs } from '../vocabulary.ts';
import { orderDefinitions } from './order.op.ts';

const rescales: QuantRule = {
  inputs: [{ kind: 'activation' }, { kind: 'plain' }],
  outputs: [{ kind: 'activation' }],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};

const picksElements: QuantRule = { ...rescales, outputs: [{ kind: 'same-as-input' }] };

function inferReduce(context: InferContext<ReduceAttrs>) {
  const { dtype, shape } = requiredInput(context, 0, 'x').type;
  const given = constantNumbers(context.inputs[1]);
  if (context.inputs[1] && !given)
    context.fail('axes are computed while the model runs', 'model.computed-input');
  const axes = given ? normalizeAxes(context, given, shape.length) : indices(shape.length);
  const { keepDims } = context.attrs;
  const kept = keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
  return [{ dtype, shape: kept }];
}

/** Reduces a constant. `step` works on numbers, so 64-bit integers are exact up to 2^53. */
function foldReduce(
  x: Tensor,
  axesTensor: Tensor | null,
  shape: readonly number[],
  start: number,
  step: (sum: number, value: number) => number,
  end: (sum: number, count: number) => number = (sum) => sum,
): Tensor {
  const rank = x.shape.length;
  const axes = axesTensor
    ? toNumbers(axesTensor).map((axis) => (axis < 0 ? axis + rank : axis))
    : indices(rank);
  const strides = new Array<number>(rank).fill(0);
  for (let axis = rank - 1, size = 1; axis >= 0; axis--) {
    if (axes.includes(axis)) continue;
    strides[axis] = size;
    size *= x.shape[axis];
  }
  const data = typedData(x);
  const sums = new Float64Array(elementCount(shape)).fill(start);
  const count = sums.length ? data.length / sums.length : 0;
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let to = 0;
    for (let axis = rank - 1; axis >= 0; axis--) {
      to += (rest % x.shape[axis]) * strides[axis];
      rest = Math.floor(rest / x.shape[axis]);
    }
    sums[to] = step(sums[to], Number(data[i]));
  }
  const out = emptyArray(x.dtype, sums.length);
  for (let i = 0; i < sums.length; i++) {
    const value = end(sums[i], count);
    out[i] = typeof out[i] === 'bigint' ? (BigInt(Math.trunc(value)) as never) : (value as never);
  }
  return tensorOf(x.dtype, shape, out);
}

/** Half-precision constants are left to the runtime. */
function foldable(x: Tensor): boolean {
  return x.dtype !== 'float16' && x.dtype !== 'bfloat16';
}

function reduction(
  summary: string,
  quant: QuantRule | null,
  start: number,
  step: (sum: number, value: number) => number,
  end?: (sum: number, count: number) => number,
): OpDefinition<ReduceAttrs> {
  return {
    summary,
    infer: inferReduce,
    fold([x, axes], _attrs, [type]) {
      if (!foldable(x!)) throw new TypeError(`${x!.dtype} is not folded`);
      return [foldReduce(x!, axes, type.shape as number[], start, step, end)];
    },
    layout: { kind: 'axes' },
    quant,
  };
}

type ArgAttrs = { axis: number; keepDims: boolean };

function argReduction(summary: string, better: (a: number, b: number) => boolean): OpDefinition<ArgAttrs> {
  return {
    summary,
    infer(context) {
      const { shape } = requiredInput(context, 0, 'x').type;
      const axis = normalizeAxis(context, context.attrs.axis, shape.length);
      const kept = context.attrs.keepDims
        ? shape.map((dim, i) => (i === axis ? 1 : dim))
        : shape.filter((_, i) => i !== axis);
      return [{ dtype: 'int64', shape: kept }];
    },
    fold([x], attrs, [type]) {
      const axis = attrs.axis < 0 ? attrs.axis + x!.shape.length : attrs.axis;
      const values = toNumbers(x!);
      const size = x!.shape[axis];
      const inner = elementCount(x!.shape.slice(axis + 1));
      const picked = indices(elementCount(type.shape as number[])).map((i) => {
        const base = Math.floor(i / inner) * size * inner + (i % inner);
        let best = 0;
        for (let k = 1; k < size; k++) {
          if (better(values[base + k * inner], values[base + best * inner])) best = k;
        }
        return best;
      });
      return [int64Tensor(type.shape as number[], picked)];
    },
    layout: { kind: 'axes' },
    // Order does not depend on the scale: the index is taken from the integers as they are.
    quant: {
      inputs: [{ kind: 'activation' }],
      outputs: [{ kind: 'plain' }],
      tflite: { int8: true, int16x8: false, dynamicInt8: false },
    },
  };
}

export const reduceDefinitions = {
  ...orderDefinitions,
  ReduceMean: reduction(
    'Mean over axes.',
    rescales,
    0,
    (sum, value) => sum + value,
    (sum, count) => sum / count,
  ),
  ReduceSum: reduction(
    'Sum over axes.',
    { ...rescales, tflite: { int8: true, int16x8: false, dynamicInt8: false } },
    0,
    (sum, value) => sum + value,
  ),
  ReduceMax: reduction('Maximum over axes.', picksElements, Number.NEGATIVE_INFINITY, Math.max),
  ReduceMin: reduction('Minimum over axes.', picksElements, Number.POSITIVE_INFINITY, Math.min),
  ReduceProd: reduction('Product over axes.', null, 1, (product, value) => product * value),
  ArgMax: argReduction('Index of the first maximum along one axis.', (a, b) => a > b),
  ArgMin: argReduction('Index of the first minimum along one axis.', (a, b) => a < b),
} satisfies Record<string, OpDefinition<never>>;
