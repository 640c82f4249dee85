/** Adaptive pooling of Keras 3: windows are laid out so that the output has the size that is asked for. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { KerasLayerView, KerasReader } from '../facets.ts';
import { intsConstant, layoutOf, onlyInput, reshapeTo, resultOf, shapeOf } from '../keras-layers.ts';

type Reduction = 'ReduceMean' | 'ReduceMax';

/**
 * Window i of n over a size runs from ⌊i × size / n⌋ to ⌈(i + 1) × size / n⌉. Where all windows of all axes are equal
 * it is an ordinary pool; else each axis is reduced by itself, which mean and maximum allow.
 */
export function adaptivePool(op: Reduction, rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const shape = shapeOf(layer, x);
    if (shape.length !== rank + 2) {
      return layer.refuse(`takes a tensor of ${rank + 2} axes, not [${shape.join(', ')}]`);
    }
    const layout = layoutOf(layer);
    const first = layout === 'NHWC' ? 1 : 2;
    const sizes = shape.slice(first, first + rank);
    const wanted = layer.ints('output_size', rank);
    const isEven = sizes.every((size, i) => size % wanted[i] === 0);
    if (isEven && rank < 3) {
      const kernelShape = sizes.map((size, i) => size / wanted[i]);
      const attrs = {
        layout,
        kernelShape,
        strides: kernelShape,
        dilations: kernelShape.map(() => 1),
        pads: new Array<number>(rank * 2).fill(0),
        ceilMode: false,
        activation: 'none',
      };
      const pool = op === 'ReduceMax' ? 'MaxPool' : 'AveragePool';
      return [
        resultOf(
          layer,
          builder,
          pool,
          [x],
          op === 'ReduceMax' ? attrs : { ...attrs, countIncludePad: false },
        ),
      ];
    }
    return [
      wanted.reduce((value, count, i) => {
        const name = i === rank - 1 ? layer.name : `${layer.name}/axis${first + i}`;
        return reduceAxis(layer, builder, op, value, first + i, count, name);
      }, x),
    ];
  };
}

function reduceAxis(
  layer: KerasLayerView,
  builder: GraphBuilder,
  op: Reduction,
  x: Value,
  axis: number,
  count: number,
  name: string,
): Value {
  const shape = shapeOf(layer, x);
  const size = shape[axis];
  const constant = (suffix: string, values: readonly number[]) =>
    intsConstant(builder, `${name}/${suffix}`, values);
  if (size % count === 0) {
    const split = [...shape.slice(0, axis), count, size / count, ...shape.slice(axis + 1)];
    const apart = reshapeTo(builder, x, split, `${name}/windows`);
    return builder.one(op, [apart, constant('window_axis', [axis + 1])], { keepDims: false }, { name });
  }
  const axes = constant('axes', [axis]);
  const windows = Array.from({ length: count }, (_, i) => {
    const at = `${name}/window${i}`;
    const start = intsConstant(builder, `${at}/start`, [Math.floor((i * size) / count)]);
    const end = intsConstant(builder, `${at}/end`, [Math.ceil(((i + 1) * size) / count)]);
    const part = builder.one('Slice', [x, start, end, axes, null], {}, { name: `${at}/part` });
    return builder.one(op, [part, axes], { keepDims: true }, { name: at });
  });
  return builder.one('Concat', windows, { axis }, { name });
}
