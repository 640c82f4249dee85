/** Resizing, and moving blocks between space and channels. */
import type { Dim } from '../../ir/graph.ts';
import type { InferContext, OpDefinition } from '../facets.ts';
import { constantNumbers, derivedDim, requiredInput, shapeText } from '../infer-helpers.ts';
import { channelAxis, spatialShape } from '../spatial.ts';
import type { BlockAttrs, OpAttrs } from '../vocabulary.ts';

const Resize: OpDefinition<OpAttrs['Resize']> = {
  summary: 'Resamples x to given sizes.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const sizes = constantNumbers(requiredInput(context, 1, 'sizes'));
    if (sizes && sizes.length !== shape.length) {
      context.fail(`${sizes.length} sizes for a tensor of rank ${shape.length}`);
    }
    return [{ dtype, shape: shape.map((_, axis): Dim => sizes?.[axis] ?? derivedDim(context.node, axis)) }];
  },
  layout: { kind: 'axes' },
  quant: {
    inputs: [{ kind: 'activation' }, { kind: 'plain' }],
    outputs: [{ kind: 'same-as-input' }],
    tflite: { int8: true, int16x8: true, dynamicInt8: false },
    // Cubic interpolation overshoots the range of x; what has no kernel would be computed in float anyway.
    takes: ({ mode, antialias, roi }) => mode !== 'cubic' && !antialias && !roi,
  },
};

const movesBlocks = {
  inputs: [{ kind: 'activation' }],
  outputs: [{ kind: 'same-as-input' }],
  tflite: { int8: true, int16x8: false, dynamicInt8: false },
} as const;

function blockAxes(context: InferContext<BlockAttrs>): {
  shape: readonly Dim[];
  channel: number;
  space: number;
} {
  const { shape } = requiredInput(context, 0, 'x').type;
  if (shape.length !== 4) context.fail(`takes a tensor of rank 4, not ${shapeText(shape)}`);
  if (!(context.attrs.blockSize >= 1)) context.fail(`the block size is ${context.attrs.blockSize}`);
  return context.attrs.layout === 'NCHW' ? { shape, channel: 1, space: 2 } : { shape, channel: 3, space: 1 };
}

/** A dimension multiplied by `up` and divided by `down`; it must divide. */
function scaled(context: InferContext<unknown>, dim: Dim, axis: number, up: number, down: number): Dim {
  if (typeof dim === 'string') return up === down ? dim : derivedDim(context.node, axis);
  if ((dim * up) % down !== 0) context.fail(`axis ${axis} of size ${dim} does not divide by ${down}`);
  return (dim * up) / down;
}

const DepthToSpace: OpDefinition<OpAttrs['DepthToSpace']> = {
  summary: 'Moves blocks of channels into space.',
  infer(context) {
    const { shape, channel, space } = blockAxes(context);
    const b = context.attrs.blockSize;
    return [
      {
        dtype: requiredInput(context, 0, 'x').type.dtype,
        shape: shape.map((dim, axis) => {
          if (axis === channel) return scaled(context, dim, axis, 1, b * b);
          return axis === space || axis === space + 1 ? scaled(context, dim, axis, b, 1) : dim;
        }),
      },
    ];
  },
  layout: { kind: 'spatial' },
  quant: movesBlocks,
};

const SpaceToDepth: OpDefinition<OpAttrs['SpaceToDepth']> = {
  summary: 'Moves blocks of space into channels.',
  infer(context) {
    const { shape, channel, space } = blockAxes(context);
    const b = context.attrs.blockSize;
    return [
      {
        dtype: requiredInput(context, 0, 'x').type.dtype,
        shape: shape.map((dim, axis) => {
          if (axis === channel) return scaled(context, dim, axis, b * b, 1);
          return axis === space || axis === space + 1 ? scaled(context, dim, axis, 1, b) : dim;
        }),
      },
    ];
  },
  layout: { kind: 'spatial' },
  quant: movesBlocks,
};

const GridSample: OpDefinition<OpAttrs['GridSample']> = {
  summary: 'Resamples x at the points of a grid.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const grid = requiredInput(context, 1, 'grid').type.shape;
    const axes = shape.length - 2;
    if (
      axes < 1 ||
      grid.length !== shape.length ||
      (grid.at(-1) !== axes && typeof grid.at(-1) === 'number')
    ) {
      context.fail(`a grid of shape ${shapeText(grid)} for data of shape ${shapeText(shape)}`);
    }
    const channel = channelAxis(context.attrs.layout, shape.length);
    return [
      { dtype, shape: spatialShape(context.attrs.layout, shape[0], shape[channel], grid.slice(1, -1)) },
    ];
  },
  layout: { kind: 'spatial' },
  quant: null,
};

export const imageDefinitions = { Resize, GridSample, DepthToSpace, SpaceToDepth } satisfies Record<
  string,
  OpDefinition<never>
>;
