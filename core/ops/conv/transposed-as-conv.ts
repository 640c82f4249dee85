/** Transposed convolutions that TRANSPOSE_CONV has no form for: in groups, and with dilations. */
import type { Node, Value } from '../../ir/graph.ts';
import { elementCount, floatTensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { biasTensor } from '../tflite-bias.ts';
import {
  activationCodes,
  attrsOf,
  innerLike,
  inputValue,
  int32Vector,
  needFloat,
  paddingTensor,
  reshape,
} from '../tflite-helpers.ts';
import { paddingCodes, type Window2d } from '../tflite-window.ts';

/**
 * The convolution that a transposed one is: of x with zeros put between its elements and around it, with the kernel
 * turned round. The caller ends the window.
 */
export function writeTransposedAsConv(node: Node, context: TfliteWriteContext, window: Window2d): void {
  needFloat(node, context);
  const { group, activation } = attrsOf(node, 'ConvTranspose');
  const [x, weights] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const constant =
    weights.constant ?? context.refuse(`its weights ${weights.id} are computed while the model runs`);
  const channels = window.outShape[3];
  const isDepthwise = constant.shape[0] === group;
  const kernel = turned(constant, group, window.kernel, isDepthwise);
  const filter = context.constant(`${node.id}/turned`, kernel);
  const bias = biasTensor(node, context, x, weights, 1, channels);
  const source = spreadOut(node, context, window, x);
  const fields = {
    padding: paddingCodes.VALID,
    stride_w: 1,
    stride_h: 1,
    fused_activation_function: activationCodes[activation],
    dilation_w_factor: window.dilations[1],
    dilation_h_factor: window.dilations[0],
  };
  if (isDepthwise) {
    context.op('DEPTHWISE_CONV_2D', [source, filter, bias], [window.y], {
      table: 'DepthwiseConv2DOptions',
      fields: { ...fields, depth_multiplier: channels / group },
    });
  } else {
    context.op('CONV_2D', [source, filter, bias], [window.y], { table: 'Conv2DOptions', fields });
  }
}

/** Weights [C, M/group, kh, kw] as [M, kh, kw, C/group] or, depthwise, [1, kh, kw, M], turned by half a circle. */
function turned(
  weights: Tensor,
  group: number,
  [kh, kw]: readonly [number, number],
  isDepthwise: boolean,
): Tensor {
  const [inputs, perGroup] = weights.shape;
  const data = toFloat32(weights);
  const [outputs, taken] = [perGroup * group, inputs / group];
  const result = new Float32Array(data.length);
  for (let c = 0, at = 0; c < inputs; c++) {
    const first = Math.floor(c / taken) * perGroup;
    for (let j = 0; j < perGroup; j++) {
      for (let place = kh * kw - 1; place >= 0; place--, at++) {
        const m = first + j;
        result[isDepthwise ? place * outputs + m : (m * kh * kw + place) * taken + (c % taken)] = data[at];
      }
    }
  }
  return floatTensor(isDepthwise ? [1, kh, kw, outputs] : [outputs, kh, kw, taken], result);
}

/** x with zeros between its elements, cut or padded so that the kernel fits once for each element of y. */
function spreadOut(node: Node, context: TfliteWriteContext, window: Window2d, x: Value): TfliteTensorRef {
  let shape = [...window.inShape];
  let source = window.x;
  const inner = (what: string, to: readonly number[]) => innerLike(context, `${node.id}/${what}`, x, to);
  const pad = (what: string, rows: readonly (readonly [number, number])[], to: readonly number[]) => {
    const padded = inner(what, to);
    context.op('PAD', [source, paddingTensor(context, `${node.id}/${what}/paddings`, rows)], [padded]);
    source = padded;
  };
  const shaped = (what: string, to: readonly number[]) => {
    const result = inner(what, to);
    reshape(context, source, result, `${node.id}/${what}`, to);
    source = result;
  };
  [1, 2].forEach((axis, i) => {
    const stride = window.strides[i];
    if (stride === 1) return;
    const rows = [elementCount(shape.slice(0, axis)), shape[axis], 1, elementCount(shape.slice(axis + 1))];
    shaped(`rows_${axis}`, rows);
    const none = [0, 0] as const;
    pad(`spread_${axis}`, [none, none, [0, stride - 1], none], [rows[0], rows[1], stride, rows[3]]);
    shape = shape.map((size, at) => (at === axis ? size * stride : size));
    shaped(`axis_${axis}`, shape);
  });
  const margins = [0, 1].map((i): [number, number] => {
    const reach = (window.kernel[i] - 1) * window.dilations[i];
    const before = reach - window.begins[i];
    return [before, window.outShape[i + 1] + reach - before - shape[i + 1]];
  });
  const cuts = [[0, 0], ...margins.map((margin) => margin.map((size) => Math.max(0, -size))), [0, 0]];
  if (cuts.flat().some((cut) => cut > 0)) {
    const size = shape.map((length, axis) => length - cuts[axis][0] - cuts[axis][1]);
    const cut = inner('cut', size);
    const begin = int32Vector(
      context,
      `${node.id}/cut/begin`,
      cuts.map(([first]) => first),
    );
    context.op('SLICE', [source, begin, int32Vector(context, `${node.id}/cut/size`, size)], [cut]);
    [source, shape] = [cut, size];
  }
  const rows = [[0, 0], ...margins.map((margin) => margin.map((size) => Math.max(0, size))), [0, 0]];
  if (rows.flat().some((size) => size > 0)) {
    pad(
      'around',
      rows as [number, number][],
      shape.map((length, axis) => length + rows[axis][0] + rows[axis][1]),
    );
  }
  return source;
}
