import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import {
  axisOf,
  intsConstant,
  onlyInput,
  reshapeTo,
  resultOf,
  scalarConstant,
  shapeOf,
  weightConstant,
} from '../keras-layers.ts';

const fused = { activation: 'none' } as const;

function filled(length: number, value: number): Tensor {
  return floatTensor([length], new Float32Array(length).fill(value));
}

function axesOf(layer: KerasLayerView, option: unknown, rank: number): number[] {
  const given = Array.isArray(option) ? option : [option ?? -1];
  return given.map((axis) => axisOf(layer, Number(axis), rank)).sort((a, b) => a - b);
}

const batchNormalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const axes = axesOf(layer, layer.config.axis, shape.length);
  if (axes.length !== 1) return layer.refuse(`normalizes the axes ${axes.join(', ')}; one axis is read`);
  if ((layer.config.mode ?? 0) !== 0)
    return layer.refuse(`mode ${layer.config.mode} of Keras 1 is not read; mode 0 is`);
  const channels = shape[axes[0]];
  const parameter = (name: string, tensor: Tensor) =>
    weightConstant(builder, `${layer.name}/${name}`, tensor);
  const scale = layer.boolean('scale', true) ? layer.weight('gamma', [channels]) : filled(channels, 1);
  const center = layer.boolean('center', true) ? layer.weight('beta', [channels]) : filled(channels, 0);
  // Keras 1 calls the statistics `running_mean` and `running_std`; the latter held the variance all the same.
  const mean = layer.optionalWeight('running_mean', [channels]) ?? layer.weight('moving_mean', [channels]);
  const variance =
    layer.optionalWeight('running_std', [channels]) ?? layer.weight('moving_variance', [channels]);
  return [
    resultOf(
      layer,
      builder,
      'BatchNormalization',
      [
        x,
        parameter('gamma', scale),
        parameter('beta', center),
        parameter('moving_mean', mean),
        parameter('moving_variance', variance),
      ],
      { epsilon: layer.number('epsilon', 0.001), axis: axes[0] },
    ),
  ];
};

/** Keras 3 also keeps LayerNormalization with `rms_scaling`, which leaves the mean out. */
const layerNormalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const axes = axesOf(layer, layer.config.axis, shape.length);
  const sizes = axes.map((axis) => shape[axis]);
  if (layer.boolean('rms_scaling', false)) return layer.refuse('option rms_scaling is not read');
  const epsilon = layer.number('epsilon', 0.001);
  const gamma = layer.boolean('scale', true) ? layer.weight('gamma', sizes) : undefined;
  const beta = layer.boolean('center', true) ? layer.weight('beta', sizes) : undefined;
  const isLast = axes.every((axis, i) => axis === shape.length - axes.length + i);
  if (isLast) {
    const ones = { ...floatTensor(sizes, new Float32Array(sizes.reduce((a, b) => a * b, 1)).fill(1)) };
    const scale = weightConstant(builder, `${layer.name}/gamma`, gamma ?? ones);
    const bias = beta ? weightConstant(builder, `${layer.name}/beta`, beta) : null;
    return [resultOf(layer, builder, 'LayerNormalization', [x, scale, bias], { epsilon, axis: axes[0] })];
  }
  const broadcast = shape.map((dim, axis) => (axes.includes(axis) ? dim : 1));
  return [
    scaleAndShift(layer, builder, normalized(layer, builder, x, axes, epsilon), gamma, beta, broadcast),
  ];
};

/** (x − mean) / √(variance + epsilon) over the axes, with the statistics of the sample itself. */
function normalized(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  axes: readonly number[],
  epsilon: number,
): Value {
  const node = (op: string, inputs: readonly Value[], suffix: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
  const over = intsConstant(builder, `${layer.name}/axes`, axes);
  const mean = node('ReduceMean', [x, over], 'mean', { keepDims: true });
  const centered = node('Sub', [x, mean], 'centered', fused);
  const square = node('Mul', [centered, centered], 'square', fused);
  const variance = node('ReduceMean', [square, over], 'variance', { keepDims: true });
  const raised = node(
    'Add',
    [variance, scalarConstant(builder, `${layer.name}/epsilon`, epsilon)],
    'raised',
    fused,
  );
  return node('Div', [centered, node('Sqrt', [raised], 'deviation')], 'normalized', fused);
}

/** Multiplies by gamma and adds beta, each brought to a shape that broadcasts; the last node bears the layer's name. */
function scaleAndShift(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  shape: readonly number[],
): Value {
  const parameter = (name: string, tensor: Tensor) =>
    weightConstant(builder, `${layer.name}/${name}`, { ...tensor, shape });
  const scaled = gamma
    ? builder.one('Mul', [x, parameter('gamma', gamma)], fused, {
        name: beta ? `${layer.name}/scaled` : layer.name,
      })
    : x;
  return beta ? builder.one('Add', [scaled, parameter('beta', beta)], fused, { name: layer.name }) : scaled;
}

/** Channels are split into groups; each group is normalized over space and its own channels. */
const groupNormalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const axis = axisOf(layer, layer.int('axis', -1), shape.length);
  const channels = shape[axis];
  const wanted = layer.int('groups', 32);
  const groups = wanted === -1 ? channels : wanted;
  if (channels % groups !== 0) return layer.refuse(`${groups} groups do not divide ${channels} channels`);
  const split = [...shape.slice(0, axis), groups, channels / groups, ...shape.slice(axis + 1)];
  const grouped = reshapeTo(builder, x, split, `${layer.name}/grouped`);
  const axes = split.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
  const even = normalized(layer, builder, grouped, axes, layer.number('epsilon', 0.001));
  const gamma = layer.boolean('scale', true) ? layer.weight('gamma', [channels]) : undefined;
  const beta = layer.boolean('center', true) ? layer.weight('beta', [channels]) : undefined;
  const name = gamma || beta ? `${layer.name}/ungrouped` : layer.name;
  const flat = reshapeTo(builder, even, shape, name);
  const broadcast = shape.map((dim, i) => (i === axis ? dim : 1));
  return [scaleAndShift(layer, builder, flat, gamma, beta, broadcast)];
};

/** x / √(mean(x²) + epsilon) × scale. */
const rmsNormalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const axes = axesOf(layer, layer.config.axis, shape.length);
  const node = (op: string, inputs: readonly Value[], suffix: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
  const over = intsConstant(builder, `${layer.name}/axes`, axes);
  const mean = node('ReduceMean', [node('Mul', [x, x], 'square', fused), over], 'mean_square', {
    keepDims: true,
  });
  const epsilon = scalarConstant(builder, `${layer.name}/epsilon`, layer.number('epsilon', 1e-6));
  const root = node('Sqrt', [node('Add', [mean, epsilon], 'raised', fused)], 'root');
  const sizes = axes.map((axis) => shape[axis]);
  const scale = layer.weight('scale', sizes);
  const broadcast = shape.map((dim, axis) => (axes.includes(axis) ? dim : 1));
  return [
    scaleAndShift(layer, builder, node('Div', [x, root], 'normalized', fused), scale, undefined, broadcast),
  ];
};

/** x / √(max(Σx², 1e-12)): Keras' `l2_normalize`. */
const unitNormalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const axes = axesOf(layer, layer.config.axis, x.type.shape.length);
  const node = (op: string, inputs: readonly Value[], suffix: string, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
  const over = intsConstant(builder, `${layer.name}/axes`, axes);
  const sum = node('ReduceSum', [node('Mul', [x, x], 'square', fused), over], 'sum', { keepDims: true });
  const floor = node('Max', [sum, scalarConstant(builder, `${layer.name}/epsilon`, 1e-12)], 'floored');
  return [resultOf(layer, builder, 'Div', [x, node('Sqrt', [floor], 'length')], fused)];
};

/** (x − mean) / max(√variance, 1e-7), with statistics that were adapted or given as options. */
const normalization: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const none = layer.config.axis === null || layer.config.axis === undefined;
  const axes = none ? [] : axesOf(layer, layer.config.axis, shape.length);
  const broadcast = shape.map((dim, axis) => (axes.includes(axis) ? dim : 1));
  const count = broadcast.reduce((product, dim) => product * dim, 1);
  const statistic = (name: 'mean' | 'variance'): Float32Array => {
    const option = layer.config[name];
    const values = option == null ? toFloat32(layer.weight(name)) : Float32Array.from(numbersIn(option));
    if (values.length !== count && values.length !== 1) {
      return layer.refuse(`${name} has ${values.length} values for ${count} channels`);
    }
    return values.length === count ? values : new Float32Array(count).fill(values[0]);
  };
  const mean = statistic('mean');
  const deviation = statistic('variance').map((value) => Math.max(Math.sqrt(value), 1e-7));
  const constant = (name: string, values: Float32Array) =>
    builder.constant(`${layer.name}/${name}`, floatTensor(broadcast, values));
  if (layer.boolean('invert', false)) {
    const scaled = builder.one('Mul', [x, constant('deviation', deviation)], fused, {
      name: `${layer.name}/scaled`,
    });
    return [resultOf(layer, builder, 'Add', [scaled, constant('mean', mean)], fused)];
  }
  const centered = builder.one('Sub', [x, constant('mean', mean)], fused, { name: `${layer.name}/centered` });
  return [resultOf(layer, builder, 'Div', [centered, constant('deviation', deviation)], fused)];
};

/** Of keras.applications' ConvNeXt: a factor per channel. */
const layerScale: KerasReader = (layer, builder) => {
  const channels = layer.int('projection_dim');
  const gamma = weightConstant(builder, `${layer.name}/gamma`, layer.weight('gamma', [channels]));
  return [resultOf(layer, builder, 'Mul', [onlyInput(layer), gamma], fused)];
};

function numbersIn(option: unknown): number[] {
  return Array.isArray(option) ? option.flatMap(numbersIn) : [Number(option)];
}

export const normKeras = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  RMSNormalization: rmsNormalization,
  UnitNormalization: unitNormalization,
  Normalization: normalization,
  LayerScale: layerScale,
} satisfies KerasFacet;
