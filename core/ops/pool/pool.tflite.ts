import { isFloat } from '../../ir/dtype.ts';
import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import {
  activationCodes,
  attrsOf,
  inputValue,
  lowestOf,
  numberTensor,
  outputValue,
} from '../tflite-helpers.ts';
import { paddingCodes, padWindow, type Window2d, window2d, windowPadding } from '../tflite-window.ts';
import type { AveragePoolAttrs, FusedActivation } from '../vocabulary.ts';
import { poolTfliteReaders } from './pool.tflite-read.ts';
import { writePoolByAxis } from './pool-by-axis.ts';

function poolOptions(window: Window2d, padding: number, activation: FusedActivation) {
  return {
    table: 'Pool2DOptions',
    fields: {
      padding,
      stride_w: window.strides[1],
      stride_h: window.strides[0],
      filter_width: window.kernel[1],
      filter_height: window.kernel[0],
      fused_activation_function: activationCodes[activation],
    },
  };
}

/** The kernels slide over two axes, without dilation. */
function needsOwnWindows({
  kernelShape,
  dilations,
}: Pick<AveragePoolAttrs, 'kernelShape' | 'dilations'>): boolean {
  return kernelShape.length > 2 || dilations.some((dilation) => dilation !== 1);
}

function writeMaxPool(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'MaxPool');
  const x = inputValue(node, context, 0);
  if (needsOwnWindows(attrs)) {
    writePoolByAxis(node, context);
    return;
  }
  const window = window2d(node, context, x, outputValue(node, context), attrs.kernelShape);
  const lowest = lowestOf(x.type.dtype, context);
  const { x: padded, padding } = padWindow(node, context, window, x, windowPadding(window), lowest);
  context.op('MAX_POOL_2D', [padded], [window.y], poolOptions(window, padding, attrs.activation ?? 'none'));
  window.finish();
}

/** Elements that each window averages over, per output position of one axis (ONNX AveragePool). */
function windowCounts(window: Window2d, attrs: AveragePoolAttrs, axis: number): number[] {
  const size = window.inShape[1 + axis];
  const kernelAxis = attrs.kernelShape.length === 1 ? axis - 1 : axis;
  const end = kernelAxis < 0 ? 0 : attrs.pads[attrs.kernelShape.length + kernelAxis];
  const low = attrs.countIncludePad ? -window.begins[axis] : 0;
  // What ceilMode lets a window reach beyond the pad is never counted.
  const high = attrs.countIncludePad ? size + end : size;
  return Array.from({ length: window.outShape[1 + axis] }, (_, i) => {
    const first = i * window.strides[axis] - window.begins[axis];
    return Math.min(first + window.kernel[axis], high) - Math.max(first, low);
  });
}

/**
 * AVERAGE_POOL_2D divides by the elements inside the (padded) input. SAME therefore is countIncludePad = false; where
 * the counts differ the average over whole windows is multiplied by whole / counted.
 */
function writeAveragePool(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'AveragePool');
  const x = inputValue(node, context, 0);
  const y = outputValue(node, context);
  if (needsOwnWindows(attrs)) {
    writePoolByAxis(node, context);
    return;
  }
  const window = window2d(node, context, x, y, attrs.kernelShape);
  const padding = windowPadding(window);
  const activation = attrs.activation ?? 'none';
  if (padding === 'VALID' || (padding === 'SAME' && !attrs.countIncludePad)) {
    context.op(
      'AVERAGE_POOL_2D',
      [window.x],
      [window.y],
      poolOptions(window, paddingCodes[padding], activation),
    );
  } else {
    // SAME would leave the padding out of the mean: pad in full first.
    const pads = padding === 'SAME' ? samePads(window) : padding;
    const counts = [windowCounts(window, attrs, 0), windowCounts(window, attrs, 1)];
    const isWhole = counts.every((list, axis) => list.every((count) => count === window.kernel[axis]));
    if (isWhole) {
      const padded = padWindow(node, context, window, x, pads);
      const options = poolOptions(window, padded.padding, activation);
      context.op('AVERAGE_POOL_2D', [padded.x], [window.y], options);
    } else writeUnevenAverage(node, context, window, pads, counts, activation);
  }
  window.finish();
}

/** In float, also inside of an integer model: the factors have no exact 8-bit form. */
function writeUnevenAverage(
  node: Node,
  context: TfliteWriteContext,
  window: Window2d,
  pads: readonly (readonly [number, number])[],
  counts: readonly (readonly number[])[],
  activation: FusedActivation,
): void {
  const isInteger = !isFloat(inputValue(node, context, 0).type.dtype);
  const float = (name: string, shape: readonly number[]) =>
    context.inner(`${node.id}/${name}`, { dtype: 'float32', shape });
  let source = window.x;
  if (isInteger) {
    source = float('float', window.inShape);
    context.op('DEQUANTIZE', [window.x], [source]);
  }
  const like = { id: node.id, type: { dtype: 'float32', shape: window.inShape } } as const;
  const padded = padWindow(node, context, { ...window, x: source }, like, pads);
  const average = float('average', window.outShape);
  context.op('AVERAGE_POOL_2D', [padded.x], [average], poolOptions(window, padded.padding, 'none'));
  const whole = window.kernel[0] * window.kernel[1];
  const factors = counts[0].flatMap((rows) => counts[1].map((columns) => whole / (rows * columns)));
  const shape = [1, counts[0].length, counts[1].length, 1];
  const factor = context.constant(`${node.id}/count`, numberTensor('float32', shape, factors));
  const result = isInteger ? float('corrected', window.outShape) : window.y;
  context.op('MUL', [average, factor], [result], {
    table: 'MulOptions',
    fields: { fused_activation_function: activationCodes[activation] },
  });
  if (isInteger) context.op('QUANTIZE', [result], [window.y]);
}

function samePads(window: Window2d): [number, number][] {
  return [0, 1].map((axis) => {
    const reach = (window.outShape[1 + axis] - 1) * window.strides[axis] + window.kernel[axis];
    const total = Math.max(0, reach - window.inShape[1 + axis]);
    return [window.begins[axis], total - window.begins[axis]];
  });
}

export const poolTflite = {
  write: { MaxPool: writeMaxPool, AveragePool: writeAveragePool },
  read: poolTfliteReaders,
} satisfies TfliteFacet;
