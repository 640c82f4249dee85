import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import { noteSpacedConv } from '../shape/blocks.ts';
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
  const window = {
    layout: 'NHWC' as const,
    strides,
    dilations,
    pads: readPads(op, [height, width], [kernelH, kernelW], strides, dilations),
  };
  const group = isDepthwise ? channels : channels / perGroup;
  const activation = activationOf(op);
  const bias = op.inputs[2] ?? null;
  addLast(op, builder, 'Conv', [x, weights, bias], { ...window, group, activation });
  const result = builder.get(op.outputs[0].name);
  noteSpacedConv(result, x, { weights, bias, group, activation }, window);
}

/** The file keeps [d, h, w, C, M]. */
function readConv3d(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const filter = inputOf(op, 1);
  const strides = stridesOver3(op);
  const dilations = ['d', 'h', 'w'].map((axis) => sizeOption(op, `dilation_${axis}_factor`, 1));
  const kernel = staticShapeOf(op, filter).slice(0, 3);
  const inputs = [x, arranged(op, builder, filter, [4, 3, 0, 1, 2]), op.inputs[2] ?? null];
  addLast(op, builder, 'Conv', inputs, {
    layout: 'NHWC',
    strides,
    dilations,
    pads: readPads(op, staticShapeOf(op, x).slice(1, 4), kernel, strides, dilations),
    group: 1,
    activation: activationOf(op),
  });
}

function stridesOver3(op: TfliteOpView): number[] {
  return ['d', 'h', 'w'].map((axis) => sizeOption(op, `stride_${axis}`));
}

/**
 * The crop is what SAME would pad in the convolution from the output back to the input. Weights are [M, h, w, C], over
 * three axes [d, h, w, M, C].
 */
function readTransposeConv(op: TfliteOpView, builder: GraphBuilder): void {
  const isOver3 = op.builtin === 'CONV_3D_TRANSPOSE';
  const sizes = constantNumbersOf(op, 0, 'output sizes').slice(1, -1);
  const filter = inputOf(op, 1);
  const x = inputOf(op, 2);
  const shape = staticShapeOf(op, filter);
  const kernel = isOver3 ? shape.slice(0, 3) : shape.slice(1, 3);
  const input = staticShapeOf(op, x).slice(1, -1);
  const strides = isOver3 ? stridesOver3(op) : [sizeOption(op, 'stride_h'), sizeOption(op, 'stride_w')];
  const ones = sizes.map(() => 1);
  const pads = readPads(op, sizes, kernel, strides, ones);
  const outputPadding = sizes.map(
    (size, axis) =>
      size - ((input[axis] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + sizes.length]),
  );
  addLast(
    op,
    builder,
    'ConvTranspose',
    [x, arranged(op, builder, filter, isOver3 ? [4, 3, 0, 1, 2] : [3, 0, 1, 2]), op.inputs[3] ?? null],
    {
      layout: 'NHWC',
      strides,
      dilations: ones,
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
  CONV_3D: readConv3d,
  CONV_3D_TRANSPOSE: readTransposeConv,
};
