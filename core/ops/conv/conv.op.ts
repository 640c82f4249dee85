import type { TensorType, Value } from '../../ir/graph.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import { countedElements, requiredInput, shapeText } from '../infer-helpers.ts';
import { channelAxis, checkSpatial, spatialAxes, spatialShape, windowCount } from '../spatial.ts';
import type { ConvAttrs, ConvTransposeAttrs } from '../vocabulary.ts';

/** LiteRT 8-bit specification, CONV_2D and DEPTHWISE_CONV_2D: per output channel, which is axis 0 of the IR's weights. */
const convQuant: QuantRule = {
  inputs: [{ kind: 'activation' }, { kind: 'weight', axis: 0 }, { kind: 'bias', of: [0, 1] }],
  outputs: [{ kind: 'activation' }],
  tflite: { int8: true, int16x8: true, dynamicInt8: true },
  // CONV_3D and CONV_3D_TRANSPOSE are of float32 alone.
  hasKernels: ({ strides }) => (strides as number[]).length < 3,
};

function checkBias(context: InferContext<unknown>, channels: unknown): void {
  const bias = context.inputs[2];
  if (bias && (bias.type.shape.length !== 1 || bias.type.shape[0] !== channels)) {
    context.fail(`the bias has shape ${shapeText(bias.type.shape)}; [${channels}] is needed`);
  }
}

function checkGroup(context: InferContext<unknown>, group: number, channels: unknown, what: string): void {
  if (!Number.isInteger(group) || group < 1 || (typeof channels === 'number' && channels % group !== 0)) {
    context.fail(`group ${group} does not divide the ${channels} ${what} channels`);
  }
}

function inferConv(context: InferContext<ConvAttrs>): TensorType[] {
  const { attrs } = context;
  const x = requiredInput(context, 0, 'x');
  const weights = requiredInput(context, 1, 'weights');
  const shape = x.type.shape;
  const [outChannels, perGroup, ...kernel] = weights.type.shape;
  checkSpatial(context, x, kernel.length, attrs);
  checkGroup(context, attrs.group, outChannels, 'output');
  const channels = shape[channelAxis(attrs.layout, shape.length)];
  if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * attrs.group) {
    context.fail(
      `the input has ${channels} channels in ${attrs.group} groups; weights ${shapeText(weights.type.shape)} are for ${perGroup} each`,
    );
  }
  checkBias(context, outChannels);
  const space = spatialAxes(attrs.layout, shape.length).map((axis, i) =>
    windowCount(context, shape[axis], {
      kernel: Number(kernel[i]),
      stride: attrs.strides[i],
      dilation: attrs.dilations[i],
      begin: attrs.pads[i],
      end: attrs.pads[kernel.length + i],
    }),
  );
  return [{ dtype: x.type.dtype, shape: spatialShape(attrs.layout, shape[0], outChannels, space) }];
}

function inferConvTranspose(context: InferContext<ConvTransposeAttrs>): TensorType[] {
  const { attrs } = context;
  const x = requiredInput(context, 0, 'x');
  const weights = requiredInput(context, 1, 'weights');
  const shape = x.type.shape;
  const [inChannels, perGroup, ...kernel] = weights.type.shape;
  checkSpatial(context, x, kernel.length, attrs);
  checkGroup(context, attrs.group, inChannels, 'input');
  const channels = shape[channelAxis(attrs.layout, shape.length)];
  if (typeof channels === 'number' && typeof inChannels === 'number' && channels !== inChannels) {
    context.fail(
      `the input has ${channels} channels; weights ${shapeText(weights.type.shape)} are for ${inChannels}`,
    );
  }
  const outChannels = typeof perGroup === 'number' ? perGroup * attrs.group : perGroup;
  checkBias(context, outChannels);
  const space = spatialAxes(attrs.layout, shape.length).map((axis, i) => {
    const size = shape[axis];
    const reach = attrs.dilations[i] * (Number(kernel[i]) - 1) + 1;
    const crop = attrs.pads[i] + attrs.pads[kernel.length + i];
    const added = attrs.outputPadding[i] ?? 0;
    if (typeof size === 'string') return `spread(${size},${reach},${attrs.strides[i]},${crop - added})`;
    const length = (size - 1) * attrs.strides[i] + reach - crop + added;
    return length > 0
      ? length
      : context.fail(`pads ${shapeText(attrs.pads)} leave nothing of spatial axis ${i}`);
  });
  return [{ dtype: x.type.dtype, shape: spatialShape(attrs.layout, shape[0], outChannels, space) }];
}

/** Multiplications per position: the elements of one filter. */
function filterElements(weights: Value | null): number {
  return weights ? countedElements({ dtype: weights.type.dtype, shape: weights.type.shape.slice(1) }) : 0;
}

export const convDefinitions = {
  Conv: {
    summary: 'Convolution with grouping, dilation and explicit padding.',
    infer: inferConv,
    cost: (inputs, [output]) => ({ macs: countedElements(output.type) * filterElements(inputs[1]) }),
    layout: { kind: 'spatial' },
    quant: convQuant,
  } satisfies OpDefinition<ConvAttrs>,
  ConvTranspose: {
    summary: 'Transposed convolution: each input element spreads one filter over the output.',
    infer: inferConvTranspose,
    cost: ([x, weights]) => ({ macs: x ? countedElements(x.type) * filterElements(weights) : 0 }),
    layout: { kind: 'spatial' },
    // The specification quantizes TRANSPOSE_CONV per output channel: axis 1 of the IR's [C, M/group, …] weights.
    quant: {
      ...convQuant,
      inputs: [convQuant.inputs[0], { kind: 'weight', axis: 1 }, convQuant.inputs[2]],
      // Others are written as convolutions with weights made over, of float32.
      takes: ({ group, dilations }) => group === 1 && (dilations as number[]).every((step) => step === 1),
    },
  } satisfies OpDefinition<ConvTransposeAttrs>,
} satisfies Record<string, OpDefinition<never>>;
