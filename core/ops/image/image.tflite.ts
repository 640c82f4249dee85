import type { Node, Value } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import { gatherByAxis } from '../shape/gather-by-axis.ts';
import {
  attrsOf,
  innerLike,
  inputValue,
  int32Vector,
  outputValue,
  reshape,
  shapeOf,
  writeMove,
} from '../tflite-helpers.ts';
import type { BlockAttrs, ResizeAttrs } from '../vocabulary.ts';
import { writeGridSample } from './grid-sample.tflite.ts';
import { imageTfliteReaders } from './image.tflite-read.ts';
import { resizedAxis } from './interpolation.ts';
import { type NearestFlags, nearestIndices, tfliteNearestIndices } from './nearest-indices.ts';
import { writeWeighted } from './weighted.tflite.ts';

const flagChoices: readonly NearestFlags[] = [
  { align_corners: false, half_pixel_centers: false },
  { align_corners: false, half_pixel_centers: true },
  { align_corners: true, half_pixel_centers: false },
];

/**
 * RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR where one of their flags means the same; else GATHER along each axis, or a
 * product with a matrix of weights.
 */
function writeResize(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'Resize');
  const x = inputValue(node, context, 0);
  const from = shapeOf(x, context);
  const to = shapeOf(outputValue(node, context), context);
  if (attrs.mode === 'nearest') {
    writeNearest(node, context, attrs, x, from, to);
    return;
  }
  const flags = bilinearFlags(attrs, from, to);
  if (flags) writeBilinear(node, context, flags, x, from, to);
  else writeWeighted(node, context, attrs, from, to);
}

function writeNearest(
  node: Node,
  context: TfliteWriteContext,
  attrs: ResizeAttrs,
  x: Value,
  from: readonly number[],
  to: readonly number[],
): void {
  const maps = from.map((size, axis) => nearestIndices(attrs, resizedAxis(attrs, axis, size, to[axis])));
  const isPlain = from.length === 4 && from[0] === to[0] && from[3] === to[3];
  const flags = flagChoices.find((choice) =>
    [1, 2].every((axis) => tfliteNearestIndices(choice, from[axis], to[axis]).join() === maps[axis]?.join()),
  );
  writeMove(node, context, (input, output) => {
    if (!isPlain || !flags) {
      gatherByAxis(node, context, x, input, output, maps);
      return;
    }
    const sizes = int32Vector(context, `${node.id}/size`, to.slice(1, 3));
    const options = { table: 'ResizeNearestNeighborOptions', fields: { ...flags } };
    context.op('RESIZE_NEAREST_NEIGHBOR', [input, sizes], [output], options);
  });
}

/** Flags of RESIZE_BILINEAR, over height and width of [N, H, W, C] or over [N, W, C]; undefined where it cannot say it. */
function bilinearFlags(
  attrs: ResizeAttrs,
  from: readonly number[],
  to: readonly number[],
): NearestFlags | undefined {
  const rank = from.length;
  const isSpatial = (rank === 3 || rank === 4) && from[0] === to[0] && from[rank - 1] === to[rank - 1];
  if (!isSpatial || attrs.mode !== 'linear' || attrs.antialias) return undefined;
  const differs = attrs.scales?.some(
    (scale, axis) => Math.abs(scale * from[axis] - to[axis]) > 1e-4 * to[axis],
  );
  const { coordinateTransformation } = attrs;
  if (differs && coordinateTransformation !== 'align_corners') return undefined;
  switch (coordinateTransformation) {
    case 'asymmetric':
      return { align_corners: false, half_pixel_centers: false };
    case 'align_corners':
      return { align_corners: true, half_pixel_centers: false };
    case 'tf_crop_and_resize':
      return undefined;
    case 'pytorch_half_pixel':
      return to.slice(1, -1).includes(1) ? undefined : { align_corners: false, half_pixel_centers: true };
    default:
      return { align_corners: false, half_pixel_centers: true };
  }
}

function writeBilinear(
  node: Node,
  context: TfliteWriteContext,
  flags: NearestFlags,
  x: Value,
  from: readonly number[],
  to: readonly number[],
): void {
  const rank = from.length;
  const frame = (shape: readonly number[]) => (rank === 4 ? shape : [shape[0], 1, shape[1], shape[2]]);
  const target = frame(to);
  const options = { table: 'ResizeBilinearOptions', fields: { ...flags } };
  const sizes = int32Vector(context, `${node.id}/size`, target.slice(1, 3));
  writeMove(node, context, (input, output) => {
    if (rank === 4) {
      context.op('RESIZE_BILINEAR', [input, sizes], [output], options);
      return;
    }
    const before = innerLike(context, `${node.id}/2d`, x, frame(from));
    const after = innerLike(context, `${node.id}/2d_out`, x, target);
    reshape(context, input, before, `${node.id}/2d`, frame(from));
    context.op('RESIZE_BILINEAR', [before, sizes], [after], options);
    reshape(context, after, output, node.id, to);
  });
}

function checkLayout(attrs: BlockAttrs, context: TfliteWriteContext): void {
  if (attrs.layout !== 'NHWC') context.refuse('its channels come first, where TFLite has them last');
}

/** TFLite orders the channels of a block as DCR does; CRD is put into that order first. */
function writeDepthToSpace(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'DepthToSpace');
  checkLayout(attrs, context);
  const x = inputValue(node, context, 0);
  const shape = shapeOf(x, context);
  const block = attrs.blockSize;
  const options = { table: 'DepthToSpaceOptions', fields: { block_size: block } };
  writeMove(node, context, (input, output) => {
    let source = input;
    if (attrs.mode === 'CRD') {
      const kept = shape[3] / (block * block);
      const order = Array.from(
        { length: shape[3] },
        (_, c) => (c % kept) * block * block + Math.floor(c / kept),
      );
      source = innerLike(context, `${node.id}/dcr`, x);
      gatherByAxis(node, context, x, input, source, [...shape.slice(0, 3).map(range), order]);
    }
    context.op('DEPTH_TO_SPACE', [source], [output], options);
  });
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function writeSpaceToDepth(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'SpaceToDepth');
  checkLayout(attrs, context);
  const options = { table: 'SpaceToDepthOptions', fields: { block_size: attrs.blockSize } };
  writeMove(node, context, (input, output) => context.op('SPACE_TO_DEPTH', [input], [output], options));
}

export const imageTflite = {
  write: {
    Resize: writeResize,
    GridSample: writeGridSample,
    DepthToSpace: writeDepthToSpace,
    SpaceToDepth: writeSpaceToDepth,
  },
  read: imageTfliteReaders,
} satisfies TfliteFacet;
