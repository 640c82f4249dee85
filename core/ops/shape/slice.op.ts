/** Operators that take parts of tensors, or put parts together. */
import type { Dim } from '../../ir/graph.ts';
import { elementCount, type Tensor, toNumbers } from '../../ir/tensor.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import { constantNumbers, derivedDim, normalizeAxis, requiredInput, shapeText } from '../infer-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';
import type { OpAttrs } from '../vocabulary.ts';
import { padIndices } from './pad-indices.ts';
import { movesElements } from './reshape.op.ts';
import { resolveSlice, type SliceRange, sliceLength } from './slice-ranges.ts';

const joinsElements: QuantRule = {
  inputs: [{ kind: 'activation' }],
  outputs: [{ kind: 'same-as-input' }],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};

/** Reads Slice's constant inputs; undefined when one of them is computed. */
function sliceRanges(
  context: InferContext<unknown>,
  rank: number,
): Map<number, { start: number; end: number; step: number }> | undefined {
  const [, starts, ends, axes, steps] = context.inputs;
  const numbers = [starts, ends, axes, steps].map(constantNumbers);
  if ([starts, ends, axes, steps].some((value, i) => value && !numbers[i])) return undefined;
  const [first, last, at, by] = numbers;
  if (!first || !last || first.length !== last.length) context.fail('starts and ends are not of one length');
  const ranges = new Map<number, { start: number; end: number; step: number }>();
  first.forEach((start, i) => {
    const axis = normalizeAxis(context, at ? at[i] : i, rank);
    const step = by ? by[i] : 1;
    if (step === 0) context.fail(`the step of axis ${axis} is 0`);
    if (ranges.has(axis)) context.fail(`axis ${axis} is sliced twice`);
    ranges.set(axis, { start, end: last[i], step });
  });
  return ranges;
}

const Slice: OpDefinition<OpAttrs['Slice']> = {
  summary: 'Takes a range with a step from some axes.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const ranges = sliceRanges(context, shape.length);
    const axes = constantNumbers(context.inputs[3])?.map((axis) => (axis < 0 ? axis + shape.length : axis));
    return [
      {
        dtype,
        shape: shape.map((dim, axis): Dim => {
          if (!ranges) return axes && !axes.includes(axis) ? dim : derivedDim(context.node, axis);
          const range = ranges.get(axis);
          if (!range) return dim;
          if (typeof dim === 'number') return sliceLength(resolveSlice(range, dim));
          const whole = range.start === 0 && range.step === 1 && range.end > 0x7ffffffe;
          return whole ? dim : derivedDim(context.node, axis);
        }),
      },
    ];
  },
  fold([x, starts, ends, axes, steps]) {
    const first = toNumbers(starts!);
    const last = toNumbers(ends!);
    const at = axes ? toNumbers(axes) : indices(first.length);
    const by = steps ? toNumbers(steps) : first.map(() => 1);
    const maps = x!.shape.map(indices);
    at.forEach((axis, i) => {
      const dim = axis < 0 ? axis + x!.shape.length : axis;
      const range: SliceRange = resolveSlice({ start: first[i], end: last[i], step: by[i] }, x!.shape[dim]);
      maps[dim] = indices(sliceLength(range)).map((k) => range.start + k * range.step);
    });
    return [pickByAxis(x!, maps)];
  },
  layout: { kind: 'axes' },
  quant: movesElements,
};

const Split: OpDefinition<OpAttrs['Split']> = {
  summary: 'Cuts x along one axis into parts of given sizes.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const axis = normalizeAxis(context, context.attrs.axis, shape.length);
    const sizes = constantNumbers(requiredInput(context, 1, 'split'));
    if (!sizes)
      return context.fail('the sizes of the parts are computed while the model runs', 'model.computed-input');
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (typeof shape[axis] === 'number' && shape[axis] !== total) {
      context.fail(`parts of ${sizes.join(' + ')} do not make up axis ${axis} of ${shapeText(shape)}`);
    }
    return sizes.map((size) => ({ dtype, shape: shape.map((dim, i) => (i === axis ? size : dim)) }));
  },
  fold([x, split], attrs) {
    const axis = attrs.axis < 0 ? attrs.axis + x!.shape.length : attrs.axis;
    let from = 0;
    return toNumbers(split!).map((size) => {
      const maps = x!.shape.map(indices);
      maps[axis] = indices(size).map((i) => from + i);
      from += size;
      return pickByAxis(x!, maps);
    });
  },
  layout: { kind: 'axes' },
  quant: movesElements,
};

const Concat: OpDefinition<OpAttrs['Concat']> = {
  summary: 'Joins tensors along one axis.',
  infer(context) {
    const first = requiredInput(context, 0, 'x').type;
    const axis = normalizeAxis(context, context.attrs.axis, first.shape.length);
    const out = [...first.shape];
    for (let i = 1; i < context.inputs.length; i++) {
      const { dtype, shape } = requiredInput(context, i, `${i}`).type;
      if (dtype !== first.dtype) context.fail(`joins ${first.dtype} and ${dtype}`);
      if (shape.length !== out.length)
        context.fail(`joins ${shapeText(first.shape)} and ${shapeText(shape)}`);
      shape.forEach((dim, at) => {
        const so = out[at];
        if (at === axis) {
          const known = typeof so === 'number' && typeof dim === 'number';
          out[at] = known ? so + dim : derivedDim(context.node, at);
        } else if (typeof so === 'string') out[at] = dim;
        else if (typeof dim === 'number' && dim !== so) {
          context.fail(`joins ${shapeText(first.shape)} and ${shapeText(shape)} along axis ${axis}`);
        }
      });
    }
    return [{ dtype: first.dtype, shape: out }];
  },
  fold(inputs, attrs, [type]) {
    const shape = type.shape as number[];
    const axis = attrs.axis < 0 ? attrs.axis + shape.length : attrs.axis;
    // Joined as blocks: outer × (all parts' inner runs), by laying every part out along one flat axis first.
    const outer = elementCount(shape.slice(0, axis));
    const parts = inputs.map((part) =>
      reshaped(part!, [outer, elementCount(part!.shape) / Math.max(outer, 1)]),
    );
    return [reshaped(joinRows(parts, outer), shape)];
  },
  layout: { kind: 'axes' },
  quant: joinsElements,
};

function joinRows(parts: readonly Tensor[], rows: number): Tensor {
  const rowBytes = parts.map((part) => (rows ? part.bytes.byteLength / rows : 0));
  const width = rowBytes.reduce((sum, size) => sum + size, 0);
  const bytes = new Uint8Array(width * rows);
  for (let row = 0, at = 0; row < rows; row++) {
    parts.forEach((part, i) => {
      bytes.set(part.bytes.subarray(row * rowBytes[i], (row + 1) * rowBytes[i]), at);
      at += rowBytes[i];
    });
  }
  const columns = parts.reduce((sum, part) => sum + part.shape[1], 0);
  return { dtype: parts[0].dtype, shape: [rows, columns], bytes };
}

const Pad: OpDefinition<OpAttrs['Pad']> = {
  summary: 'Adds elements around x (negative amounts crop).',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const pads = constantNumbers(requiredInput(context, 1, 'pads'));
    if (pads && pads.length !== shape.length * 2) {
      context.fail(`${pads.length} paddings for a tensor of rank ${shape.length}`);
    }
    return [
      {
        dtype,
        shape: shape.map((dim, axis) => {
          const added = pads && pads[axis] + pads[axis + shape.length];
          if (added === 0) return dim;
          if (added === undefined || typeof dim === 'string') return derivedDim(context.node, axis);
          if (dim + added < 0) context.fail(`crops ${-added} of the ${dim} elements of axis ${axis}`);
          return dim + added;
        }),
      },
    ];
  },
  fold([x, pads, value], attrs) {
    const amounts = toNumbers(pads!);
    const rank = x!.shape.length;
    const maps = x!.shape.map((dim, axis) =>
      padIndices(attrs.mode, dim, amounts[axis], amounts[axis + rank]),
    );
    return [pickByAxis(x!, maps, value ? toNumbers(value)[0] : 0)];
  },
  layout: { kind: 'axes' },
  quant: {
    inputs: [{ kind: 'activation' }, { kind: 'plain' }, { kind: 'activation' }],
    outputs: [{ kind: 'same-as-input' }],
    tflite: { int8: true, int16x8: true, dynamicInt8: false },
  },
};

const Gather: OpDefinition<OpAttrs['Gather']> = {
  summary: 'Picks entries of one axis by index.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const picked = requiredInput(context, 1, 'indices').type;
    if (picked.dtype !== 'int64' && picked.dtype !== 'int32') context.fail(`indices are ${picked.dtype}`);
    const axis = normalizeAxis(context, context.attrs.axis, shape.length);
    return [{ dtype, shape: [...shape.slice(0, axis), ...picked.shape, ...shape.slice(axis + 1)] }];
  },
  fold([x, picked], attrs, [type]) {
    const axis = attrs.axis < 0 ? attrs.axis + x!.shape.length : attrs.axis;
    const size = x!.shape[axis];
    const maps = x!.shape.map(indices);
    maps[axis] = toNumbers(picked!).map((index) => {
      if (index < -size || index >= size)
        throw new RangeError(`index ${index} is outside an axis of size ${size}`);
      return index < 0 ? index + size : index;
    });
    return [reshaped(pickByAxis(x!, maps), type.shape as number[])];
  },
  layout: { kind: 'axes' },
  quant: movesElements,
};

export const sliceDefinitions = { Slice, Split, Concat, Pad, Gather };
