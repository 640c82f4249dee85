import type { KerasFacet, KerasReader } from '../facets.ts';
import { isTensor } from '../keras-arguments.ts';
import {
  explicitPads,
  innerNodes,
  intsConstant,
  layoutOf,
  onlyInput,
  plain,
  reshapeTo,
  resultOf,
  shapeOf,
  spatialSizes,
} from '../keras-layers.ts';
import { adaptivePool } from './keras-adaptive.ts';

function pool(op: 'MaxPool' | 'AveragePool', rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const shape = shapeOf(layer, x);
    if (shape.length !== rank + 2) {
      return layer.refuse(`takes a tensor of ${rank + 2} axes, not [${shape.join(', ')}]`);
    }
    const layout = layoutOf(layer);
    const kernelShape = layer.ints('pool_size', rank);
    const strides = layer.config.strides == null ? kernelShape : layer.ints('strides', rank);
    const dilations = kernelShape.map(() => 1);
    const padding = layer.string('padding', 'valid');
    const pads = explicitPads(layer, padding, spatialSizes(shape, layout), {
      kernel: kernelShape,
      strides,
      dilations,
    });
    const attrs = { layout, kernelShape, strides, dilations, pads, ceilMode: false, activation: 'none' };
    // TensorFlow's average leaves padding out of the count.
    return [
      resultOf(layer, builder, op, [x], op === 'AveragePool' ? { ...attrs, countIncludePad: false } : attrs),
    ];
  };
}

function globalPool(op: 'ReduceMean' | 'ReduceMax', rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const first = layoutOf(layer) === 'NHWC' ? 1 : 2;
    const axes = intsConstant(
      builder,
      `${layer.name}/axes`,
      Array.from({ length: rank }, (_, i) => first + i),
    );
    return [resultOf(layer, builder, op, [x, axes], { keepDims: layer.boolean('keepdims', false) })];
  };
}

/** The mean over the steps that a mask leaves, where there is one. */
const averageOverTime: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const mask = isTensor(layer.kwargs.mask) ? layer.kwargs.mask : layer.maskOf(x);
  if (!mask) return globalPool('ReduceMean', 1)(layer, builder);
  if (layoutOf(layer) !== 'NHWC') return layer.refuse('a mask beside data_format channels_first is not read');
  const node = innerNodes(layer, builder);
  const keepDims = layer.boolean('keepdims', false);
  const numbers = node('Cast', [mask], 'mask_numbers', { to: 'float32' });
  const steps = reshapeTo(builder, numbers, [...shapeOf(layer, mask), 1], `${layer.name}/mask_steps`);
  const time = intsConstant(builder, `${layer.name}/time`, [1]);
  const sum = node('ReduceSum', [node('Mul', [x, steps], 'masked', plain), time], 'sum', { keepDims });
  const count = node('ReduceSum', [steps, time], 'count', { keepDims });
  return [resultOf(layer, builder, 'Div', [sum, count], plain)];
};

const adaptive = Object.fromEntries(
  [1, 2, 3].flatMap((rank) => [
    [`AdaptiveAveragePooling${rank}D`, adaptivePool('ReduceMean', rank)],
    [`AdaptiveMaxPooling${rank}D`, adaptivePool('ReduceMax', rank)],
  ]),
);

export const poolKeras: KerasFacet = {
  ...adaptive,
  MaxPooling1D: pool('MaxPool', 1),
  MaxPooling2D: pool('MaxPool', 2),
  MaxPooling3D: pool('MaxPool', 3),
  AveragePooling1D: pool('AveragePool', 1),
  AveragePooling2D: pool('AveragePool', 2),
  AveragePooling3D: pool('AveragePool', 3),
  GlobalAveragePooling1D: averageOverTime,
  GlobalAveragePooling2D: globalPool('ReduceMean', 2),
  GlobalAveragePooling3D: globalPool('ReduceMean', 3),
  GlobalMaxPooling1D: globalPool('ReduceMax', 1),
  GlobalMaxPooling2D: globalPool('ReduceMax', 2),
  GlobalMaxPooling3D: globalPool('ReduceMax', 3),
};
