/** TensorFlow's image operators. */
import type { GraphDefFacet, GraphDefReader } from '../facets.ts';
import {
  constantNumbersOf,
  inputOf,
  int64Constant,
  layoutOf,
  resultOf,
  staticShapeOf,
} from '../graphdef-helpers.ts';

/** Nearest rounds halves up with centres or corners aligned, else down. */
function resize(mode: 'nearest' | 'linear'): GraphDefReader {
  return (node, builder) => {
    const x = inputOf(node, 0);
    const [batch, , , channels] = staticShapeOf(node, x);
    const [height, width] = constantNumbersOf(node, 1, 'sizes');
    const corners = node.boolean('align_corners', false);
    const centres = node.boolean('half_pixel_centers', false);
    if (corners && centres) node.refuse('it has both align_corners and half_pixel_centers');
    const sizes = int64Constant(node, builder, 'sizes', [batch, height, width, channels]);
    return [
      resultOf(node, builder, 'Resize', [x, sizes], {
        mode,
        coordinateTransformation: corners ? 'align_corners' : centres ? 'half_pixel' : 'asymmetric',
        nearestMode: corners || centres ? 'round_prefer_ceil' : 'floor',
        cubicCoeffA: -0.75,
      }),
    ];
  };
}

function block(op: 'DepthToSpace' | 'SpaceToDepth'): GraphDefReader {
  return (node, builder) => {
    const blockSize = node.int('block_size', 0);
    const attrs = { layout: layoutOf(node), blockSize, ...(op === 'DepthToSpace' && { mode: 'DCR' }) };
    return [resultOf(node, builder, op, [inputOf(node, 0)], attrs)];
  };
}

export const imageGraphDef = {
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
  DepthToSpace: block('DepthToSpace'),
  SpaceToDepth: block('SpaceToDepth'),
} satisfies GraphDefFacet;
