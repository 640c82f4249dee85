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
import { imageTfliteReaders } from './image.tflite-read.ts';
import { type NearestFlags, nearestIndices, tfliteNearestIndices } from './nearest-indices.ts';

const flagChoices: readonly NearestFlags[] = [
  { align_corners: false, half_pixel_centers: false },
  { align_corners: false, half_pixel_centers: true },
  { align_corners: true, half_pixel_centers: false },
];

/**
 * RESIZE_NEAREST_NEIGHBOR where one of its flags picks exactly the elements that ONNX picks, else GATHER along each
 * axis, which can pick any. RESIZE_BILINEAR where its flags mean the same.
 */
function writeResize(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'Resize');
  const x = inputValue(node, context, 0);
  const from = shapeOf(x, context);
  const to = shapeOf(outputValue(node, context), context);
  checkScales(context, attrs, from, to);
  if (attrs.mode === 'nearest') writeNearest(node, context, attrs, x, from, to);
  else if (attrs.mode === 'linear') writeBilinear(node, context, attrs, x, from, to);
  else context.refuse('TFLite has no cubic interpolation', 'Use bilinear interpolation.');
}

function checkScales(
  context: TfliteWriteContext,
  attrs: ResizeAttrs,
  from: readonly number[],
  to: readonly number[],
): void {
  const differs = attrs.scales?.some(
    (scale, axis) => Math.abs(scale * from[axis] - to[axis]) > 1e-4 * to[axis],
  );
  if (differs && attrs.coordinateTransformation !== 'align_corners') {
    context.refuse(
      `its scales [${attrs.scales!.join(', ')}] are not the ratio of its sizes, which is all that TFLite knows`,
    );
  }
}

function writeNearest(
  node: Node,
  context: TfliteWriteContext,
  attrs: ResizeAttrs,
  x: Value,
  from: readonly number[],
  to: readonly number[],
): void {
  const maps = from.map((size, axis) => nearestIndices(attrs, size, to[axis]));
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

function bilinearFlags(
  attrs: ResizeAttrs,
  to: readonly number[],
  context: TfliteWriteContext,
): { align_corners: boolean; half_pixel_centers: boolean } {
  switch (attrs.coordinateTransformation) {
    case 'asymmetric':
      return { align_corners: false, half_pixel_centers: false };
    case 'align_corners':
      return { align_corners: true, half_pixel_centers: false };
    case 'pytorch_half_pixel':
      if (to[1] === 1 || to[2] === 1) context.refuse('it resizes to one element by pytorch_half_pixel');
      return { align_corners: false, half_pixel_centers: true };
    default:
      return { align_corners: false, half_pixel_centers: true };
  }
}

function writeBilinear(
  node: Node,
  context: TfliteWriteContext,
  attrs: ResizeAttrs,
  x: Value,
  from: readonly number[],
  to: readonly number[],
): void {
  const rank = from.length;
  if ((rank !== 3 && rank !== 4) || from[0] !== to[0] || from[rank - 1] !== to[rank - 1]) {
    context.refuse(
      `TFLite interpolates over height and width of [N, H, W, C], not [${from.join(', ')}] to [${to.join(', ')}]`,
    );
  }
  const frame = (shape: readonly number[]) => (rank === 4 ? shape : [shape[0], 1, shape[1], shape[2]]);
  const target = frame(to);
  const options = {
    table: 'ResizeBilinearOptions',
    fields: bilinearFlags(attrs, rank === 4 ? to : [to[0], 2, to[1], to[2]], context),
  };
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
  write: { Resize: writeResize, DepthToSpace: writeDepthToSpace, SpaceToDepth: writeSpaceToDepth },
  read: imageTfliteReaders,
} satisfies TfliteFacet;
