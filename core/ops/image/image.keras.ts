import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { argumentOf, intsArgument, tensorArgument } from '../keras-arguments.ts';
import {
  intsConstant,
  layoutOf,
  onlyInput,
  reshapeTo,
  resultOf,
  shapeOf,
  spatialSizes,
} from '../keras-layers.ts';
import type { Layout } from '../vocabulary.ts';
import { antialiasedWeights } from './antialias.ts';

interface Target {
  readonly sizes: readonly number[];
  readonly layout: Layout;
  readonly interpolation: string;
  readonly antialias: boolean;
}

/**
 * `tf.image.resize` of TensorFlow 2, which all dialects call: half-pixel centers; nearest takes the element whose
 * cell the center falls into.
 */
function resized(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  { sizes, layout, interpolation, antialias }: Target,
  name: string,
): Value {
  const shape = shapeOf(layer, x);
  const from = spatialSizes(shape, layout);
  if (from.every((size, i) => size === sizes[i])) return x;
  const mode = interpolation === 'nearest' ? 'nearest' : interpolation === 'bilinear' ? 'linear' : undefined;
  if (!mode) return layer.refuse(`interpolation ${interpolation} is not read; nearest and bilinear are`);
  const shrinks = from.some((size, i) => sizes[i] < size);
  if (antialias && mode === 'linear' && shrinks) {
    return antialiased(layer, builder, x, shape, sizes, layout, name);
  }
  const target =
    layout === 'NHWC' ? [shape[0], ...sizes, shape[shape.length - 1]] : [shape[0], shape[1], ...sizes];
  return builder.one(
    'Resize',
    [x, intsConstant(builder, `${name}/sizes`, target)],
    {
      mode,
      coordinateTransformation: 'half_pixel',
      nearestMode: mode === 'nearest' ? 'round_prefer_ceil' : 'round_prefer_floor',
      cubicCoeffA: -0.75,
    },
    { name },
  );
}

/** Two matrix products, one per axis: rows first, then columns. */
function antialiased(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  shape: readonly number[],
  sizes: readonly number[],
  layout: Layout,
  name: string,
): Value {
  const channels = layout === 'NHWC' ? shape.slice(3) : [];
  const [outer, height, width] =
    layout === 'NHWC' ? [shape[0], shape[1], shape[2]] : [shape[0] * shape[1], shape[2], shape[3]];
  const inner = channels[0] ?? 1;
  const matrix = (suffix: string, from: number, to: number) =>
    builder.constant(`${name}/${suffix}`, floatTensor([to, from], antialiasedWeights(from, to)));
  const multiply = (left: Value, right: Value, suffix: string) =>
    builder.one('MatMul', [left, right], {}, { name: `${name}/${suffix}` });
  const rows = reshapeTo(builder, x, [outer, height, width * inner], `${name}/rows`);
  const tall = multiply(matrix('row_weights', height, sizes[0]), rows, 'tall');
  const columns = reshapeTo(builder, tall, [outer * sizes[0], width, inner], `${name}/columns`);
  const wide = multiply(matrix('column_weights', width, sizes[1]), columns, 'wide');
  if (shape.length !== 4) return layer.refuse(`resizes a tensor of ${shape.length} axes; 4 are read`);
  const result = layout === 'NHWC' ? [outer, ...sizes, inner] : [shape[0], shape[1], ...sizes];
  return reshapeTo(builder, wide, result, name);
}

function upSampling(rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const factors = layer.ints('size', rank);
    const layout = layoutOf(layer);
    const sizes = spatialSizes(shapeOf(layer, x), layout).map((size, i) => size * factors[i]);
    const interpolation = layer.string('interpolation', 'nearest');
    return [resized(layer, builder, x, { sizes, layout, interpolation, antialias: false }, layer.name)];
  };
}

function imageLayout(layer: KerasLayerView, x: Value): Layout {
  if (x.type.shape.length === 4) return layoutOf(layer);
  return layer.refuse(`takes a tensor of 4 axes, not ${x.type.shape.length}`);
}

const resizing: KerasReader = (layer, builder) => {
  const x = asFloat(layer, builder, onlyInput(layer));
  const layout = imageLayout(layer, x);
  const sizes = [layer.int('height'), layer.int('width')];
  if (layer.boolean('pad_to_aspect_ratio', false))
    return layer.refuse('option pad_to_aspect_ratio is not read');
  const target: Target = {
    sizes,
    layout,
    interpolation: layer.string('interpolation', 'bilinear'),
    antialias: layer.boolean('antialias', false),
  };
  const cropped = layer.boolean('crop_to_aspect_ratio', false)
    ? cropToAspect(layer, builder, x, sizes, layout)
    : x;
  return [resized(layer, builder, cropped, target, layer.name)];
};

function asFloat(layer: KerasLayerView, builder: GraphBuilder, x: Value): Value {
  if (x.type.dtype.startsWith('float')) return x;
  return builder.one('Cast', [x], { to: 'float32' }, { name: `${layer.name}/float` });
}

/** Keras' `smart_resize`: the middle part that has the target's proportions. */
function cropToAspect(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  [height, width]: readonly number[],
  layout: Layout,
): Value {
  const from = spatialSizes(shapeOf(layer, x), layout);
  const rows = Math.min(from[0], Math.trunc((from[1] * height) / width) || 1);
  const columns = Math.min(from[1], Math.trunc((from[0] * width) / height) || 1);
  const starts = [Math.trunc((from[0] - rows) / 2), Math.trunc((from[1] - columns) / 2)];
  return crop(layer, builder, x, layout, starts, [rows, columns], `${layer.name}/cropped`);
}

function crop(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  layout: Layout,
  starts: readonly number[],
  sizes: readonly number[],
  name: string,
): Value {
  const from = spatialSizes(shapeOf(layer, x), layout);
  if (from.every((size, i) => size === sizes[i])) return x;
  const first = layout === 'NHWC' ? 1 : 2;
  const constant = (suffix: string, values: readonly number[]) =>
    intsConstant(builder, `${name}/${suffix}`, values);
  const ends = starts.map((start, i) => start + sizes[i]);
  const axes = constant('axes', [first, first + 1]);
  return builder.one(
    'Slice',
    [x, constant('starts', starts), constant('ends', ends), axes, null],
    {},
    { name },
  );
}

/** The middle part; an image that is smaller than asked for is resized. */
const centerCrop: KerasReader = (layer, builder) => {
  const x = asFloat(layer, builder, onlyInput(layer));
  const layout = imageLayout(layer, x);
  const sizes = [layer.int('height'), layer.int('width')];
  const from = spatialSizes(shapeOf(layer, x), layout);
  if (from.every((size, i) => size >= sizes[i])) {
    const starts = from.map((size, i) => Math.floor((size - sizes[i]) / 2));
    return [crop(layer, builder, x, layout, starts, sizes, layer.name)];
  }
  const part = cropToAspect(layer, builder, x, sizes, layout);
  return [
    resized(layer, builder, part, { sizes, layout, interpolation: 'bilinear', antialias: false }, layer.name),
  ];
};

const resizeFunction: KerasReader = (layer, builder) => {
  const x = asFloat(layer, builder, tensorArgument(layer, 0, 'images', 'image'));
  if (x.type.shape.length !== 4)
    return layer.refuse(`resizes a tensor of ${x.type.shape.length} axes; 4 are read`);
  const sizes = intsArgument(layer, argumentOf(layer, 1, 'size'), 'size');
  for (const option of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'preserve_aspect_ratio']) {
    if (layer.config[option] === true || layer.kwargs[option] === true)
      return layer.refuse(`option ${option} is not read`);
  }
  const interpolation = argumentOf(layer, 2, 'interpolation', 'method') ?? 'bilinear';
  const antialias = (argumentOf(layer, 3, 'antialias') ?? false) === true;
  const target = { sizes, layout: layoutOf(layer), interpolation: String(interpolation), antialias };
  return [resized(layer, builder, x, target, layer.name)];
};

/** `tf.nn.depth_to_space` and `space_to_depth`: blocks are laid out depth first. */
function blocks(op: 'DepthToSpace' | 'SpaceToDepth'): KerasReader {
  return (layer, builder) => {
    const x = tensorArgument(layer, 0, 'input');
    const [blockSize] = intsArgument(layer, argumentOf(layer, 1, 'block_size'), 'block_size');
    if ((layer.kwargs.data_format ?? 'NHWC') !== 'NHWC')
      return layer.refuse('data_format other than NHWC is not read');
    const attrs = { layout: 'NHWC', blockSize };
    return [resultOf(layer, builder, op, [x], op === 'DepthToSpace' ? { ...attrs, mode: 'DCR' } : attrs)];
  };
}

export const imageKeras = {
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
  Resizing: resizing,
  CenterCrop: centerCrop,
  'ops.Resize': resizeFunction,
  'tf.image.resize': resizeFunction,
  'tf.nn.depth_to_space': blocks('DepthToSpace'),
  'tf.nn.space_to_depth': blocks('SpaceToDepth'),
} satisfies KerasFacet;
