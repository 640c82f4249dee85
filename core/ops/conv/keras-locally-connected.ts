/** LocallyConnected layers of Keras 1 and 2: convolutions whose weights differ from place to place. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { withActivation } from '../activation/keras-activations.ts';
import type { KerasLayerView, KerasReader } from '../facets.ts';
import { intsConstant, layoutOf, onlyInput, reshapeTo, shapeOf, weightConstant } from '../keras-layers.ts';

/** Patches `[batch, places, 1, elements]` times weights `[places, elements, filters]`. */
export function locallyConnected(rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const shape = shapeOf(layer, x);
    if (shape.length !== rank + 2) {
      return layer.refuse(`takes a tensor of ${rank + 2} axes, not [${shape.join(', ')}]`);
    }
    if (layoutOf(layer) !== 'NHWC') return layer.refuse('data_format channels_first is not read');
    if (layer.int('implementation', 1) !== 1) return layer.refuse('implementation other than 1 is not read');
    const kernelShape = layer.ints('kernel_size', rank);
    const strides = layer.ints('strides', rank, new Array<number>(rank).fill(1));
    const filters = layer.int('filters');
    const channels = shape[rank + 1];
    const counts = kernelShape.map((size, i) => Math.floor((shape[i + 1] - size) / strides[i]) + 1);
    const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
    const places = product(counts);
    const elements = product(kernelShape) * channels;
    const kernel = weightConstant(
      builder,
      `${layer.name}/kernel`,
      layer.weight('kernel', [places, elements, filters]),
    );
    const patches = patchesOf(layer, builder, x, { kernelShape, strides, counts });
    const rows = reshapeTo(builder, patches, [shape[0], places, 1, elements], `${layer.name}/rows`);
    return [
      withActivation(layer, builder, (name) => {
        const usesBias = layer.boolean('use_bias', true);
        const sums = builder.one('MatMul', [rows, kernel], {}, { name: `${name}/product` });
        const result = [shape[0], ...counts, filters];
        const placed = reshapeTo(builder, sums, result, usesBias ? `${name}/placed` : name);
        if (!usesBias) return placed;
        const bias = weightConstant(
          builder,
          `${layer.name}/bias`,
          layer.weight('bias', [...counts, filters]),
        );
        return builder.one('Add', [placed, bias], { activation: 'none' }, { name });
      }),
    ];
  };
}

/** One strided slice per element of the window, side by side on the channel axis: Keras' order of a patch. */
function patchesOf(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  window: { kernelShape: readonly number[]; strides: readonly number[]; counts: readonly number[] },
): Value {
  const { kernelShape, strides, counts } = window;
  const name = `${layer.name}/patches`;
  const axes = intsConstant(
    builder,
    `${name}/axes`,
    kernelShape.map((_, i) => i + 1),
  );
  const steps = intsConstant(builder, `${name}/steps`, strides);
  let offsets: number[][] = [[]];
  for (const size of kernelShape) {
    offsets = offsets.flatMap((offset) => Array.from({ length: size }, (_, i) => [...offset, i]));
  }
  const slices = offsets.map((offset) => {
    const at = `${name}/${offset.join('_')}`;
    const ends = offset.map((start, i) => start + (counts[i] - 1) * strides[i] + 1);
    const inputs = [
      x,
      intsConstant(builder, `${at}/starts`, offset),
      intsConstant(builder, `${at}/ends`, ends),
      axes,
      steps,
    ];
    return builder.one('Slice', inputs, {}, { name: at });
  });
  if (slices.length === 1) return slices[0];
  return builder.one('Concat', slices, { axis: kernelShape.length + 1 }, { name });
}
