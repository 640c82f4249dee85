/** Operators that rearrange or repeat elements without looking at them. */
import type { Dim } from '../../ir/graph.ts';
import { elementCount, permute, toNumbers } from '../../ir/tensor.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import {
  broadcastShapes,
  constantNumbers,
  derivedDim,
  normalizeAxes,
  requiredInput,
  shapeText,
} from '../infer-helpers.ts';
import { indices, pickByAxis, reshaped } from '../pick-elements.ts';
import type { OpAttrs } from '../vocabulary.ts';

/** Elements are moved, never changed: output and input share scale and zero point (LiteRT 8-bit specification). */
export const movesElements: QuantRule = {
  inputs: [{ kind: 'activation' }, { kind: 'plain' }],
  outputs: [{ kind: 'same-as-input' }],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};

/** No runtime takes tensors of more axes. */
const largestRank = 64;

/** One open dimension per element of a computed shape vector. */
export function openShape(context: InferContext<unknown>, index: number): Dim[] {
  const length = requiredInput(context, index, 'shape').type.shape[0];
  if (typeof length !== 'number')
    context.fail('the rank of the result cannot be known before the model runs');
  if (length > largestRank) return context.fail(`a shape of ${length} dimensions is not possible`);
  return indices(length).map((axis) => derivedDim(context.node, axis));
}

/**
 * The one dimension written as −1. Open dimensions that stand on both sides cancel; what cannot be settled gets a
 * name of its own.
 */
function inferredDim(from: readonly Dim[], to: readonly Dim[], name: string): Dim | undefined {
  const open: string[] = [];
  let count = 1;
  for (const dim of from) {
    if (typeof dim === 'number') count *= dim;
    else open.push(dim);
  }
  for (const dim of to) {
    if (typeof dim === 'number') {
      if (dim !== -1) count /= dim;
      continue;
    }
    const at = open.indexOf(dim);
    if (at < 0) return name;
    open.splice(at, 1);
  }
  if (open.length === 0) return Number.isInteger(count) ? count : undefined;
  return open.length === 1 && count === 1 ? open[0] : name;
}

function isStatic(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

const Reshape: OpDefinition<OpAttrs['Reshape']> = {
  summary: 'Gives the same elements another shape.',
  infer(context) {
    const x = requiredInput(context, 0, 'x');
    const wanted = constantNumbers(context.inputs[1]);
    if (!wanted) return [{ dtype: x.type.dtype, shape: openShape(context, 1) }];
    const from = x.type.shape;
    if (wanted.filter((dim) => dim === -1).length > 1) context.fail(`shape ${shapeText(wanted)} has two −1`);
    const to = wanted.map((dim, axis): Dim => {
      if (dim < -1 || !Number.isInteger(dim))
        context.fail(`shape ${shapeText(wanted)} has the dimension ${dim}`);
      if (dim !== 0 || context.attrs.allowZero) return dim;
      if (axis >= from.length) context.fail(`shape ${shapeText(wanted)} copies an axis that x does not have`);
      return from[axis];
    });
    const open = to.indexOf(-1);
    if (open >= 0) {
      const dim = inferredDim(from, to, derivedDim(context.node, open));
      if (dim === undefined)
        return context.fail(`${shapeText(from)} does not fit into shape ${shapeText(wanted)}`);
      to[open] = dim;
    } else if (isStatic(from) && isStatic(to) && elementCount(from) !== elementCount(to)) {
      context.fail(`${shapeText(from)} does not fit into shape ${shapeText(wanted)}`);
    }
    return [{ dtype: x.type.dtype, shape: to }];
  },
  fold: ([x], _attrs, [type]) => [reshaped(x!, type.shape as number[])],
  layout: { kind: 'fixed' },
  quant: movesElements,
};

const Transpose: OpDefinition<OpAttrs['Transpose']> = {
  summary: 'Reorders axes: axis i of the result is axis perm[i] of x.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const { perm } = context.attrs;
    if (perm.length !== shape.length || normalizeAxes(context, perm, shape.length).length !== perm.length) {
      context.fail(`perm [${perm.join(', ')}] does not reorder a tensor of rank ${shape.length}`);
    }
    return [{ dtype, shape: perm.map((axis) => shape[axis]) }];
  },
  fold: ([x], attrs) => [permute(x!, attrs.perm)],
  layout: { kind: 'axes' },
  quant: movesElements,
};

const Squeeze: OpDefinition<OpAttrs['Squeeze']> = {
  summary: 'Removes axes of size 1.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const given = constantNumbers(context.inputs[1]);
    if (context.inputs[1] && !given)
      context.fail('axes are computed while the model runs', 'model.computed-input');
    const axes = given
      ? normalizeAxes(context, given, shape.length)
      : indices(shape.length).filter((axis) => shape[axis] === 1);
    for (const axis of axes) {
      const dim = shape[axis];
      if (typeof dim === 'number' && dim !== 1)
        context.fail(`axis ${axis} of ${shapeText(shape)} is not of size 1`);
    }
    return [{ dtype, shape: shape.filter((_, axis) => !axes.includes(axis)) }];
  },
  fold: ([x], _attrs, [type]) => [reshaped(x!, type.shape as number[])],
  layout: { kind: 'axes' },
  quant: movesElements,
};

const Unsqueeze: OpDefinition<OpAttrs['Unsqueeze']> = {
  summary: 'Inserts axes of size 1, at positions counted in the result.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const given = constantNumbers(requiredInput(context, 1, 'axes'));
    if (!given) return context.fail('axes are computed while the model runs', 'model.computed-input');
    const rank = shape.length + given.length;
    const axes = normalizeAxes(context, given, rank);
    let from = 0;
    return [{ dtype, shape: indices(rank).map((axis) => (axes.includes(axis) ? 1 : shape[from++])) }];
  },
  fold: ([x], _attrs, [type]) => [reshaped(x!, type.shape as number[])],
  layout: { kind: 'axes' },
  quant: movesElements,
};

const Expand: OpDefinition<OpAttrs['Expand']> = {
  summary: 'Broadcasts x against a shape.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const wanted = constantNumbers(requiredInput(context, 1, 'shape'));
    return [{ dtype, shape: broadcastShapes(context, shape, wanted ?? openShape(context, 1)) }];
  },
  fold([x], _attrs, [type]) {
    const shape = type.shape as number[];
    const padded = [...new Array<number>(shape.length - x!.shape.length).fill(1), ...x!.shape];
    const maps = shape.map((dim, axis) =>
      padded[axis] === 1 ? new Array<number>(dim).fill(0) : indices(dim),
    );
    return [pickByAxis(reshaped(x!, padded), maps)];
  },
  layout: { kind: 'fixed' },
  quant: movesElements,
};

const Tile: OpDefinition<OpAttrs['Tile']> = {
  summary: 'Repeats x along each axis.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const repeats = constantNumbers(requiredInput(context, 1, 'repeats'));
    if (repeats && repeats.length !== shape.length) {
      context.fail(`${repeats.length} repeats for a tensor of rank ${shape.length}`);
    }
    return [
      {
        dtype,
        shape: shape.map((dim, axis) => {
          if (repeats?.[axis] === 1) return dim;
          return repeats && typeof dim === 'number' ? dim * repeats[axis] : derivedDim(context.node, axis);
        }),
      },
    ];
  },
  fold([x, repeats]) {
    const counts = toNumbers(repeats!);
    return [
      pickByAxis(
        x!,
        x!.shape.map((dim, axis) => indices(dim * counts[axis]).map((i) => i % dim)),
      ),
    ];
  },
  layout: { kind: 'axes' },
  quant: movesElements,
};

export const reshapeDefinitions = { Reshape, Transpose, Squeeze, Unsqueeze, Expand, Tile };
