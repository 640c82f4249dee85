/** Operators that read or write elements by index tensors. */
import type { Dim } from '../../ir/graph.ts';
import {
  elementCount,
  rowMajorStrides,
  type Tensor,
  tensorOf,
  toNumbers,
  typedData,
} from '../../ir/tensor.ts';
import type { InferContext, OpDefinition } from '../facets.ts';
import { elementsOf, type Scalar, tensorFrom } from '../fold-helpers.ts';
import { constantNumbers, derivedDim, normalizeAxis, requiredInput, shapeText } from '../infer-helpers.ts';
import { emptyArray, indices } from '../pick-elements.ts';
import type { OpAttrs, ScatterReduction } from '../vocabulary.ts';

function indexInput(context: InferContext<unknown>): readonly Dim[] {
  const { dtype, shape } = requiredInput(context, 1, 'indices').type;
  if (dtype !== 'int64' && dtype !== 'int32') context.fail(`indices are ${dtype}`);
  return shape;
}

/** @throws RangeError for an index outside of an axis. */
function counted(index: number, size: number): number {
  if (index < -size || index >= size)
    throw new RangeError(`index ${index} is outside an axis of size ${size}`);
  return index < 0 ? index + size : index;
}

/** Coordinates of an element in a row-major shape. */
function coordinates(at: number, shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return out;
}

function offsetOf(position: readonly number[], shape: readonly number[]): number {
  const strides = rowMajorStrides(shape);
  return position.reduce((sum, at, axis) => sum + at * strides[axis], 0);
}

/** Offset in `data` of each element of `picked`, which replaces the coordinate along `axis`. */
function elementOffsets(data: readonly number[], picked: Tensor, axis: number): number[] {
  return toNumbers(picked).map((index, i) => {
    const position = coordinates(i, picked.shape);
    position[axis] = counted(index, data[axis]);
    return offsetOf(position, data);
  });
}

const GatherElements: OpDefinition<OpAttrs['GatherElements']> = {
  summary: 'For each index, the element of x at the same place but along one axis.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const picked = indexInput(context);
    normalizeAxis(context, context.attrs.axis, shape.length);
    if (picked.length !== shape.length) {
      context.fail(`indices of shape ${shapeText(picked)} for data of shape ${shapeText(shape)}`);
    }
    return [{ dtype, shape: picked }];
  },
  fold([x, picked], attrs) {
    const source = elementsOf(x!);
    const axis = attrs.axis < 0 ? attrs.axis + x!.shape.length : attrs.axis;
    const values = elementOffsets(x!.shape, picked!, axis).map((offset) => source[offset]);
    return [tensorFrom(x!.dtype, picked!.shape, values)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

const GatherND: OpDefinition<OpAttrs['GatherND']> = {
  summary: 'Slices of x, each found by a tuple of indices.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const picked = indexInput(context);
    const { batchDims } = context.attrs;
    const depth = picked[picked.length - 1];
    if (typeof depth !== 'number' || batchDims + depth > shape.length) {
      return context.fail(`indices of shape ${shapeText(picked)} for data of shape ${shapeText(shape)}`);
    }
    return [{ dtype, shape: [...picked.slice(0, -1), ...shape.slice(batchDims + depth)] }];
  },
  fold([x, picked], attrs, [type]) {
    if (attrs.batchDims !== 0) throw new TypeError('batches are not folded');
    const depth = picked!.shape[picked!.shape.length - 1];
    const numbers = toNumbers(picked!);
    const inner = elementCount(x!.shape.slice(depth));
    const source = elementsOf(x!);
    const values: Scalar[] = [];
    for (let at = 0; at < numbers.length; at += depth) {
      const position = indices(depth).map((k) => counted(numbers[at + k], x!.shape[k]));
      const from = offsetOf(position, x!.shape.slice(0, depth)) * inner;
      for (let k = 0; k < inner; k++) values.push(source[from + k]);
    }
    return [tensorFrom(x!.dtype, type.shape as number[], values)];
  },
  layout: { kind: 'fixed' },
  quant: {
    inputs: [{ kind: 'activation' }, { kind: 'plain' }],
    outputs: [{ kind: 'same-as-input' }],
    tflite: { int8: true, int16x8: true, dynamicInt8: false },
  },
};

function combine(reduction: ScatterReduction, before: Scalar, update: Scalar): Scalar {
  if (reduction === 'none') return update;
  if (reduction === 'max') return update > before ? update : before;
  if (reduction === 'min') return update < before ? update : before;
  if (typeof before === 'bigint' || typeof update === 'bigint') {
    return reduction === 'add' ? BigInt(before) + BigInt(update) : BigInt(before) * BigInt(update);
  }
  return reduction === 'add' ? before + update : before * update;
}

function scattered(
  x: Tensor,
  offsets: readonly number[],
  updates: Tensor,
  reduction: ScatterReduction,
): Tensor {
  const data = emptyArray(x.dtype, elementCount(x.shape));
  data.set(typedData(x) as never);
  const values = elementsOf(updates);
  offsets.forEach((offset, i) => {
    data[offset] = combine(reduction, data[offset], values[i]) as never;
  });
  return tensorOf(x.dtype, x.shape, data);
}

const ScatterElements: OpDefinition<OpAttrs['ScatterElements']> = {
  summary: 'x with single elements replaced (or combined) at given indices along one axis.',
  infer(context) {
    const { type } = requiredInput(context, 0, 'x');
    const picked = indexInput(context);
    normalizeAxis(context, context.attrs.axis, type.shape.length);
    const updates = requiredInput(context, 2, 'updates').type.shape;
    if (picked.length !== type.shape.length || updates.length !== picked.length) {
      context.fail(
        `indices ${shapeText(picked)} and updates ${shapeText(updates)} for data ${shapeText(type.shape)}`,
      );
    }
    return [type];
  },
  fold([x, picked, updates], attrs) {
    const axis = attrs.axis < 0 ? attrs.axis + x!.shape.length : attrs.axis;
    return [scattered(x!, elementOffsets(x!.shape, picked!, axis), updates!, attrs.reduction)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

const ScatterND: OpDefinition<OpAttrs['ScatterND']> = {
  summary: 'x with slices replaced (or combined) at tuples of indices.',
  infer(context) {
    const { type } = requiredInput(context, 0, 'x');
    const picked = indexInput(context);
    const depth = picked[picked.length - 1];
    if (typeof depth !== 'number' || depth > type.shape.length) {
      context.fail(`indices of shape ${shapeText(picked)} for data of shape ${shapeText(type.shape)}`);
    }
    return [type];
  },
  fold([x, picked, updates], attrs) {
    const depth = picked!.shape[picked!.shape.length - 1];
    const numbers = toNumbers(picked!);
    const inner = elementCount(x!.shape.slice(depth));
    const offsets: number[] = [];
    for (let at = 0; at < numbers.length; at += depth) {
      const position = indices(depth).map((k) => counted(numbers[at + k], x!.shape[k]));
      const to = offsetOf(position, x!.shape.slice(0, depth)) * inner;
      for (let k = 0; k < inner; k++) offsets.push(to + k);
    }
    return [scattered(x!, offsets, updates!, attrs.reduction)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

const OneHot: OpDefinition<OpAttrs['OneHot']> = {
  summary: 'A new axis that is "on" at the index and "off" elsewhere.',
  infer(context) {
    const { shape } = requiredInput(context, 0, 'indices').type;
    const depth = constantNumbers(requiredInput(context, 1, 'depth'))?.[0] ?? derivedDim(context.node, 0);
    const axis = normalizeAxis(context, context.attrs.axis, shape.length + 1);
    const { dtype } = requiredInput(context, 2, 'values').type;
    return [{ dtype, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }];
  },
  fold([picked, depth, values], attrs, [type]) {
    const shape = type.shape as number[];
    const axis = attrs.axis < 0 ? attrs.axis + shape.length : attrs.axis;
    const size = toNumbers(depth!)[0];
    const [off, on] = Array.from(elementsOf(values!));
    const inner = elementCount(shape.slice(axis + 1));
    const wanted = toNumbers(picked!).map((index) => (index < 0 ? index + size : index));
    const out = indices(elementCount(shape)).map((i) => {
      const outer = Math.floor(i / (inner * size));
      const at = Math.floor(i / inner) % size;
      return wanted[outer * inner + (i % inner)] === at ? on : off;
    });
    return [tensorFrom(type.dtype, shape, out)];
  },
  layout: { kind: 'fixed' },
  quant: null,
};

export const indexingDefinitions = { GatherElements, GatherND, ScatterElements, ScatterND, OneHot };
