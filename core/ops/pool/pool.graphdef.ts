/** TensorFlow's pools. */
import type { GraphDefFacet, GraphDefReader } from '../facets.ts';
import {
  constantNumbersOf,
  inputOf,
  layoutOf,
  padsOf,
  resultOf,
  spatialEntries,
  staticShapeOf,
} from '../graphdef-helpers.ts';
import { spatialAxes } from '../spatial.ts';

/** TensorFlow's average leaves the padding out. */
function pool(op: 'MaxPool' | 'AveragePool', axes: number): GraphDefReader {
  return (node, builder) => {
    const x = inputOf(node, 0);
    const layout = layoutOf(node);
    const shape = staticShapeOf(node, x);
    const rank = axes + 2;
    if (shape.length !== rank) return node.refuse(`its input has the shape [${shape.join(', ')}]`);
    const sizes = spatialAxes(layout, rank).map((axis) => shape[axis]);
    // MaxPoolV2 takes its window as inputs.
    const listed = (name: string, index: number) =>
      node.inputs.length > 1 ? constantNumbersOf(node, index, name) : node.ints(name);
    const kernel = spatialEntries(node, 'ksize', layout, rank, listed('ksize', 1));
    const strides = spatialEntries(node, 'strides', layout, rank, listed('strides', 2));
    const dilations = sizes.map(() => 1);
    return [
      resultOf(node, builder, op, [x], {
        layout,
        strides,
        dilations,
        pads: padsOf(node, layout, sizes, { kernel, strides, dilations }),
        kernelShape: kernel,
        ceilMode: false,
        activation: 'none',
        ...(op === 'AveragePool' && { countIncludePad: false }),
      }),
    ];
  };
}

export const poolGraphDef = {
  MaxPool: pool('MaxPool', 2),
  MaxPoolV2: pool('MaxPool', 2),
  AvgPool: pool('AveragePool', 2),
  MaxPool3D: pool('MaxPool', 3),
  AvgPool3D: pool('AveragePool', 3),
} satisfies GraphDefFacet;
