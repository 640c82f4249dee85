import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { permute, type Tensor } from '../../ir/tensor.ts';
import { withActivation } from '../activation/keras-activations.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { explicitPads, layoutOf, onlyInput, shapeOf, spatialSizes, weightConstant } from '../keras-layers.ts';
import type { Layout } from '../vocabulary.ts';
import { locallyConnected } from './keras-locally-connected.ts';

/** The input of a convolution, its layout and sizes. */
interface Site {
  readonly x: Value;
  readonly layout: Layout;
  readonly sizes: readonly number[];
  readonly channels: number;
}

function siteOf(layer: KerasLayerView, spatialRank: number): Site {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  if (shape.length !== spatialRank + 2) {
    return layer.refuse(`takes a tensor of ${spatialRank + 2} axes, not [${shape.join(', ')}]`);
  }
  const layout = layoutOf(layer);
  return {
    x,
    layout,
    sizes: spatialSizes(shape, layout),
    channels: layout === 'NHWC' ? shape[shape.length - 1] : shape[1],
  };
}

function stridesOf(layer: KerasLayerView, rank: number): readonly number[] {
  return layer.ints('strides', rank, ones(rank));
}

function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}

function paddingOf(layer: KerasLayerView): string {
  return layer.string('padding', 'valid');
}

/** Keras' `[…kernel, in, out]` as the IR's `[out, in, …kernel]`; for transposed kernels the two names change places. */
function channelsFirst(kernel: Tensor): Tensor {
  const rank = kernel.shape.length;
  return permute(kernel, [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)]);
}

function biasOf(layer: KerasLayerView, builder: GraphBuilder, channels: number): Value | null {
  if (!layer.boolean('use_bias', true)) return null;
  return weightConstant(builder, `${layer.name}/bias`, layer.weight('bias', [channels]));
}

function conv(rank: number): KerasReader {
  return (layer, builder) => {
    const { x, layout, sizes, channels } = siteOf(layer, rank);
    const group = layer.int('groups', 1);
    const filters = layer.int('filters');
    const kernelShape = layer.ints('kernel_size', rank);
    const strides = stridesOf(layer, rank);
    const dilations = layer.ints('dilation_rate', rank, ones(rank));
    if (channels % group !== 0) layer.refuse(`${group} groups do not divide ${channels} channels`);
    const kernel = layer.weight('kernel', [...kernelShape, channels / group, filters]);
    const weights = weightConstant(builder, `${layer.name}/kernel`, channelsFirst(kernel));
    const bias = biasOf(layer, builder, filters);
    const pads = explicitPads(layer, paddingOf(layer), sizes, { kernel: kernelShape, strides, dilations });
    return [
      withActivation(layer, builder, (name) =>
        builder.one(
          'Conv',
          [x, weights, bias],
          { layout, strides, dilations, pads, group, activation: 'none' },
          { name },
        ),
      ),
    ];
  };
}

/** A depthwise kernel `[…kernel, C, multiplier]` is, byte for byte, `[…kernel, 1, C × multiplier]`. */
function depthwiseWeights(kernel: Tensor): Tensor {
  const spatial = kernel.shape.slice(0, -2);
  const [channels, multiplier] = kernel.shape.slice(-2);
  return channelsFirst({ ...kernel, shape: [...spatial, 1, channels * multiplier] });
}

/** One group per input channel. @returns the convolution without bias or activation of its own. */
function depthwise(
  layer: KerasLayerView,
  builder: GraphBuilder,
  site: Site,
  kernel: Tensor,
  bias: Value | null,
  name: string,
): Value {
  const kernelShape = kernel.shape.slice(0, -2);
  const strides = stridesOf(layer, kernelShape.length);
  const dilations = layer.ints('dilation_rate', kernelShape.length, ones(kernelShape.length));
  const pads = explicitPads(layer, paddingOf(layer), site.sizes, { kernel: kernelShape, strides, dilations });
  const weights = weightConstant(builder, `${layer.name}/depthwise_kernel`, depthwiseWeights(kernel));
  return builder.one(
    'Conv',
    [site.x, weights, bias],
    { layout: site.layout, strides, dilations, pads, group: site.channels, activation: 'none' },
    { name },
  );
}

function depthwiseConv(rank: number): KerasReader {
  return (layer, builder) => {
    const site = siteOf(layer, rank);
    const multiplier = layer.int('depth_multiplier', 1);
    const shape = [...layer.ints('kernel_size', rank), site.channels, multiplier];
    // Keras 2 calls the weight `depthwise_kernel`, Keras 3 `kernel`.
    const kernel = layer.optionalWeight('depthwise_kernel', shape) ?? layer.weight('kernel', shape);
    const bias = biasOf(layer, builder, site.channels * multiplier);
    return [withActivation(layer, builder, (name) => depthwise(layer, builder, site, kernel, bias, name))];
  };
}

function separableConv(rank: number): KerasReader {
  return (layer, builder) => {
    const site = siteOf(layer, rank);
    const multiplier = layer.int('depth_multiplier', 1);
    const filters = layer.int('filters');
    const kernel = layer.weight('depthwise_kernel', [
      ...layer.ints('kernel_size', rank),
      site.channels,
      multiplier,
    ]);
    const pointwise = layer.weight('pointwise_kernel', [...ones(rank), site.channels * multiplier, filters]);
    const weights = weightConstant(builder, `${layer.name}/pointwise_kernel`, channelsFirst(pointwise));
    const bias = biasOf(layer, builder, filters);
    const spread = depthwise(layer, builder, site, kernel, null, `${layer.name}/depthwise`);
    return [
      withActivation(layer, builder, (name) =>
        builder.one(
          'Conv',
          [spread, weights, bias],
          {
            layout: site.layout,
            strides: ones(rank),
            dilations: ones(rank),
            pads: new Array<number>(rank * 2).fill(0),
            group: 1,
            activation: 'none',
          },
          { name },
        ),
      ),
    ];
  };
}

/**
 * TensorFlow crops the full result, of (size − 1) × stride + reach elements, to the length that Keras asks for; where
 * the full result is shorter, what is missing is added at the end.
 */
function convTranspose(rank: number): KerasReader {
  return (layer, builder) => {
    const { x, layout, sizes, channels } = siteOf(layer, rank);
    const filters = layer.int('filters');
    const kernelShape = layer.ints('kernel_size', rank);
    const strides = layer.ints('strides', rank, ones(rank));
    const dilations = layer.ints('dilation_rate', rank, ones(rank));
    const padding = layer.string('padding', 'valid');
    if (padding !== 'same' && padding !== 'valid')
      layer.refuse(`padding ${padding} is not known; valid and same are`);
    const added = layer.config.output_padding == null ? undefined : layer.ints('output_padding', rank);
    const kernel = layer.weight('kernel', [...kernelShape, filters, channels]);
    const crops = sizes.map((size, i) => {
      const reach = (kernelShape[i] - 1) * dilations[i] + 1;
      const full = (size - 1) * strides[i] + reach;
      const half = padding === 'same' ? Math.floor(reach / 2) : 0;
      const wanted = added
        ? full - 2 * half + added[i]
        : size * strides[i] + (padding === 'same' ? 0 : Math.max(reach - strides[i], 0));
      return full - wanted;
    });
    const begins = crops.map((crop) => (padding === 'same' ? Math.floor(Math.max(crop, 0) / 2) : 0));
    const ends = crops.map((crop, i) => Math.max(crop, 0) - begins[i]);
    const weights = weightConstant(builder, `${layer.name}/kernel`, channelsFirst(kernel));
    const bias = biasOf(layer, builder, filters);
    return [
      withActivation(layer, builder, (name) =>
        builder.one(
          'ConvTranspose',
          [x, weights, bias],
          {
            layout,
            strides,
            dilations,
            pads: [...begins, ...ends],
            outputPadding: crops.map((crop) => Math.max(-crop, 0)),
            group: 1,
            activation: 'none',
          },
          { name },
        ),
      ),
    ];
  };
}

export const convKeras = {
  Conv1D: conv(1),
  Conv2D: conv(2),
  Conv3D: conv(3),
  DepthwiseConv1D: depthwiseConv(1),
  DepthwiseConv2D: depthwiseConv(2),
  SeparableConv1D: separableConv(1),
  SeparableConv2D: separableConv(2),
  Conv1DTranspose: convTranspose(1),
  Conv2DTranspose: convTranspose(2),
  Conv3DTranspose: convTranspose(3),
  LocallyConnected1D: locallyConnected(1),
  LocallyConnected2D: locallyConnected(2),
} satisfies KerasFacet;
