/** Convolutions over three axes: CONV_3D and CONV_3D_TRANSPOSE, float32 only. */
import type { Node } from '../../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { biasTensor } from '../tflite-bias.ts';
import {
  activationCodes,
  innerLike,
  inputValue,
  int32Vector,
  needFloat,
  outputTensor,
  outputValue,
  paddingTensor,
  shapeOf,
} from '../tflite-helpers.ts';
import { paddingCodes } from '../tflite-window.ts';
import type { ConvAttrs, ConvTransposeAttrs } from '../vocabulary.ts';

function options(attrs: ConvAttrs | ConvTransposeAttrs) {
  const [stride_d, stride_h, stride_w] = attrs.strides;
  const [dilation_d_factor, dilation_h_factor, dilation_w_factor] = attrs.dilations;
  return {
    table: 'Conv3DOptions',
    fields: {
      padding: paddingCodes.VALID,
      stride_d,
      stride_h,
      stride_w,
      dilation_d_factor,
      dilation_h_factor,
      dilation_w_factor,
      fused_activation_function: activationCodes[attrs.activation],
    },
  };
}

function check(node: Node, context: TfliteWriteContext): void {
  const { layout, group, pads } = node.attrs as unknown as ConvAttrs;
  needFloat(node, context);
  if (layout !== 'NHWC') context.refuse('its channels come first, where TFLite has them last');
  if (group !== 1) context.refuse(`it has ${group} groups; TFLite's convolution over three axes has 1`);
  if (pads.some((pad) => pad < 0)) context.refuse(`its pads [${pads.join(', ')}] crop`);
}

/** Weights [M, C, D, H, W] as [D, H, W, C, M]; pads are added before. */
export function writeConv3d(node: Node, context: TfliteWriteContext): void {
  check(node, context);
  const attrs = node.attrs as unknown as ConvAttrs;
  const [x, weights] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const channels = Number(weights.type.shape[0]);
  let source: TfliteTensorRef = context.tensor(x.id);
  if (attrs.pads.some((pad) => pad > 0)) {
    const rows = [[0, 0], ...[0, 1, 2].map((i) => [attrs.pads[i], attrs.pads[i + 3]]), [0, 0]] as [
      number,
      number,
    ][];
    const shape = shapeOf(x, context).map((size, axis) => size + rows[axis][0] + rows[axis][1]);
    const padded = innerLike(context, `${node.id}/pad`, x, shape);
    context.op('PAD', [source, paddingTensor(context, `${node.id}/paddings`, rows)], [padded]);
    source = padded;
  }
  const filter = context.tensor(weights.id, [2, 3, 4, 1, 0]);
  const bias = biasTensor(node, context, x, weights, 0, channels);
  context.op('CONV_3D', [source, filter, bias], [outputTensor(node, context)], options(attrs));
}

/** The full result, from which the pads are cut; weights [C, M, D, H, W] as [D, H, W, M, C]. */
export function writeConvTranspose3d(node: Node, context: TfliteWriteContext): void {
  check(node, context);
  const attrs = node.attrs as unknown as ConvTransposeAttrs;
  const [x, weights, y] = [
    inputValue(node, context, 0),
    inputValue(node, context, 1),
    outputValue(node, context),
  ];
  if (attrs.dilations.some((dilation) => dilation !== 1)) {
    context.refuse(
      `its dilations are [${attrs.dilations.join(', ')}]; TFLite's transposed convolution has 1`,
    );
  }
  const [inShape, outShape] = [shapeOf(x, context), shapeOf(y, context)];
  const kernel = (weights.type.shape as number[]).slice(2);
  const space = kernel.map((size, i) =>
    Math.max((inShape[i + 1] - 1) * attrs.strides[i] + size, attrs.pads[i] + outShape[i + 1]),
  );
  const full = [outShape[0], ...space, outShape[4]];
  const isFull = full.every((size, axis) => size === outShape[axis]);
  const target = isFull ? outputTensor(node, context) : innerLike(context, `${node.id}/uncropped`, y, full);
  const inputs = [
    int32Vector(context, `${node.id}/output_shape`, full),
    context.tensor(weights.id, [2, 3, 4, 1, 0]),
    context.tensor(x.id),
    biasTensor(node, context, x, weights, 1, outShape[4]),
  ];
  context.op('CONV_3D_TRANSPOSE', inputs, [target], options(attrs));
  if (isFull) return;
  const begin = int32Vector(context, `${node.id}/crop_begin`, [0, ...attrs.pads.slice(0, 3), 0]);
  const size = int32Vector(context, `${node.id}/crop_size`, outShape);
  context.op('SLICE', [target, begin, size], [outputTensor(node, context)]);
}
