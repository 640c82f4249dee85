import { isFloat } from '../../ir/dtype.ts';
import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import { biasTensor } from '../tflite-bias.ts';
import {
  activationCodes,
  attrsOf,
  innerLike,
  inputValue,
  int32Vector,
  outputValue,
} from '../tflite-helpers.ts';
import { paddingCodes, padWindow, type Window2d, window2d, windowPadding } from '../tflite-window.ts';
import { convTfliteReaders } from './conv.tflite-read.ts';
import { writeConv3d, writeConvTranspose3d } from './conv-3d.ts';
import { writeTransposedAsConv } from './transposed-as-conv.ts';

/** Axis order of the IR's weights [M, C/group, …kernel] in the file; −1 adds the height of a 1-D kernel. */
function weightOrder(kernelAxes: number, isDepthwise: boolean): number[] {
  if (isDepthwise) return kernelAxes === 1 ? [1, -1, 2, 0] : [1, 2, 3, 0];
  return kernelAxes === 1 ? [0, -1, 2, 1] : [0, 2, 3, 1];
}

function writeConv(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'Conv');
  const x = inputValue(node, context, 0);
  const weights = inputValue(node, context, 1);
  const y = outputValue(node, context);
  const [channels, perGroup, ...kernel] = weights.type.shape as number[];
  if (kernel.length === 3) {
    writeConv3d(node, context);
    return;
  }
  const window = window2d(node, context, x, y, kernel);
  const isDepthwise = attrs.group > 1 && perGroup === 1 && attrs.group === window.inShape[3];
  const isHybrid = isFloat(x.type.dtype) && weights.quant !== undefined;
  if (isDepthwise && isHybrid && channels > 1 && weights.quant?.scales.length === 1) {
    // LiteRT's kernel reads one scale per channel, whatever the file has.
    context.refuse(
      'its integer weights have one scale, where a depthwise convolution of floats needs one per channel',
    );
  }
  const filter = context.tensor(weights.id, weightOrder(kernel.length, isDepthwise));
  const bias = biasTensor(node, context, x, weights, 0, channels);
  const { x: padded, padding } = padWindow(node, context, window, x, windowPadding(window));
  const fields = {
    padding,
    stride_w: window.strides[1],
    stride_h: window.strides[0],
    fused_activation_function: activationCodes[attrs.activation],
    dilation_w_factor: window.dilations[1],
    dilation_h_factor: window.dilations[0],
  };
  if (isDepthwise) {
    context.op('DEPTHWISE_CONV_2D', [padded, filter, bias], [window.y], {
      table: 'DepthwiseConv2DOptions',
      fields: { ...fields, depth_multiplier: channels / attrs.group },
    });
  } else {
    context.op('CONV_2D', [padded, filter, bias], [window.y], { table: 'Conv2DOptions', fields });
  }
  window.finish();
}

/**
 * TRANSPOSE_CONV crops as a convolution of its output by SAME would have padded; VALID crops nothing. Other crops are
 * cut off by SLICE.
 */
function writeConvTranspose(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'ConvTranspose');
  const x = inputValue(node, context, 0);
  const weights = inputValue(node, context, 1);
  const y = outputValue(node, context);
  const kernel = (weights.type.shape as number[]).slice(2);
  if (kernel.length === 3) {
    writeConvTranspose3d(node, context);
    return;
  }
  const window = window2d(node, context, x, y, kernel);
  if (attrs.group !== 1 || attrs.dilations.some((dilation) => dilation !== 1)) {
    writeTransposedAsConv(node, context, window);
    window.finish();
    return;
  }
  const channels = window.outShape[3];
  const crop = cropping(window);
  const shape = typeof crop === 'string' ? window.outShape : crop.shape;
  const target = typeof crop === 'string' ? window.y : innerLike(context, `${node.id}/uncropped`, y, shape);
  const filter = context.tensor(weights.id, kernel.length === 1 ? [1, -1, 2, 0] : [1, 2, 3, 0]);
  const inputs = [int32Vector(context, `${node.id}/output_shape`, shape), filter, window.x];
  if (node.inputs[2]) inputs.push(biasTensor(node, context, x, weights, 1, channels));
  context.op('TRANSPOSE_CONV', inputs, [target], {
    table: 'TransposeConvOptions',
    fields: {
      padding: paddingCodes[crop === 'SAME' ? 'SAME' : 'VALID'],
      stride_w: window.strides[1],
      stride_h: window.strides[0],
      fused_activation_function: activationCodes[attrs.activation],
    },
  });
  if (typeof crop !== 'string') {
    const begin = int32Vector(context, `${node.id}/crop_begin`, [0, ...window.begins, 0]);
    const size = int32Vector(context, `${node.id}/crop_size`, window.outShape);
    context.op('SLICE', [target, begin, size], [window.y]);
  }
  window.finish();
}

/** SAME or VALID where they crop the full result as wanted, else the shape of the full result to cut from. */
function cropping(window: Window2d): 'SAME' | 'VALID' | { shape: number[] } {
  // A transposed convolution is the backward pass of the convolution from y to x.
  const padding = windowPadding({ ...window, inShape: window.outShape, outShape: window.inShape });
  const full = [0, 1].map(
    (axis) => (window.inShape[1 + axis] - 1) * window.strides[axis] + window.kernel[axis],
  );
  if (
    window.begins.every((begin) => begin === 0) &&
    full.every((size, axis) => size <= window.outShape[1 + axis])
  ) {
    return 'VALID';
  }
  if (padding === 'SAME') return 'SAME';
  const space = full.map((size, axis) => Math.max(size, window.begins[axis] + window.outShape[1 + axis]));
  return { shape: [window.outShape[0], ...space, window.outShape[3]] };
}

export const convTflite = {
  write: { Conv: writeConv, ConvTranspose: writeConvTranspose },
  read: convTfliteReaders,
} satisfies TfliteFacet;
