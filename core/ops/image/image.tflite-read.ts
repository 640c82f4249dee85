import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addLast,
  constantNumbersOf,
  flagOption,
  inputOf,
  int64Constant,
  sizeOption,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

function readResize(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const shape = staticShapeOf(op, x);
  const [height, width] = constantNumbersOf(op, 1, 'sizes');
  const isNearest = op.builtin === 'RESIZE_NEAREST_NEIGHBOR';
  const corners = flagOption(op, 'align_corners');
  const centres = flagOption(op, 'half_pixel_centers');
  if (corners && centres) op.refuse('it has both align_corners and half_pixel_centers');
  addLast(
    op,
    builder,
    'Resize',
    [x, int64Constant(op, builder, 'sizes', [shape[0], height, width, shape[3]])],
    {
      mode: isNearest ? 'nearest' : 'linear',
      coordinateTransformation: corners ? 'align_corners' : centres ? 'half_pixel' : 'asymmetric',
      // TFLite rounds halves up, or not at all.
      nearestMode: corners || centres ? 'round_prefer_ceil' : 'floor',
      cubicCoeffA: -0.75,
    },
  );
}

function readBlock(op: TfliteOpView, builder: GraphBuilder): void {
  const attrs = { layout: 'NHWC', blockSize: sizeOption(op, 'block_size') };
  if (op.builtin === 'SPACE_TO_DEPTH') addLast(op, builder, 'SpaceToDepth', [inputOf(op, 0)], attrs);
  else addLast(op, builder, 'DepthToSpace', [inputOf(op, 0)], { ...attrs, mode: 'DCR' });
}

export const imageTfliteReaders = {
  RESIZE_BILINEAR: readResize,
  RESIZE_NEAREST_NEIGHBOR: readResize,
  DEPTH_TO_SPACE: readBlock,
  SPACE_TO_DEPTH: readBlock,
};
