import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addLast,
  arranged,
  constantNumbersOf,
  inputOf,
  readPads,
  sizeOption,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

function readConv(op: TfliteOpView, builder: GraphBuilder): void {
  const isDepthwise = op.builtin === 'DEPTHWISE_CONV_2D';
  const x = inputOf(op, 0);
  const filter = inputOf(op, 1);
  const [, height, width, channels] = staticShapeOf(op, x);
  const [, kernelH, kernelW, perGroup] = staticShapeOf(op, filter);
  const strides = [sizeOption(op, 'stride_h'), sizeOption(op, 'stride_w')];
  const dilations = [sizeOption(op, 'dilation_h_factor', 1), sizeOption(op, 'dilation_w_factor', 1)];
  // The file keeps [M, kh, kw, C/group], a depthwise one [1, kh, kw, M].
  const weights = arranged(op, builder, filter, isDepthwise ? [3, 0, 1, 2] : [0, 3, 1, 2]);
  addLast(op, builder, 'Conv', [x, weights, op.inputs[2] ?? null], {
    layout: 'NHWC',
    strides,
    dilations,
    pads: readPads(op, [height, width], [kernelH, kernelW], strides, dilations),
    group: isDepthwise ? channels : channels / perGroup,
    activation: activationOf(op),
  });
}

/** The crop is what SAME would pad in the convolution from the output back to the input. */
function readTransposeConv(op: TfliteOpView, builder: GraphBuilder): void {
  const sizes = constantNumbersOf(op, 0, 'output sizes').slice(1, 3);
  const filter = inputOf(op, 1);
  const x = inputOf(op, 2);
  const kernel = staticShapeOf(op, filter).slice(1, 3);
  const input = staticShapeOf(op, x).slice(1, 3);
  const strides = [sizeOption(op, 'stride_h'), sizeOption(op, 'stride_w')];
  const pads = readPads(op, sizes, kernel, strides, [1, 1]);
  const outputPadding = sizes.map(
    (size, axis) => size - ((input[axis] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + 2]),
  );
  addLast(
    op,
    builder,
    'ConvTranspose',
    [x, arranged(op, builder, filter, [3, 0, 1, 2]), op.inputs[3] ?? null],
    {
      layout: 'NHWC',
      strides,
      dilations: [1, 1],
      pads,
      group: 1,
      outputPadding,
      activation: activationOf(op),
    },
  );
}

export const convTfliteReaders = {
  CONV_2D: readConv,
  DEPTHWISE_CONV_2D: readConv,
  TRANSPOSE_CONV: readTransposeConv,
};
