/** What 2-D convolutions and pools share on their way into a TFLite file: rank and padding. */
import type { Node, Value } from '../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from './facets.ts';
import { innerLike, numberTensor, paddingTensor, reshape, shapeOf } from './tflite-helpers.ts';
import type { SpatialAttrs } from './vocabulary.ts';

/** Padding of the file. */
export const paddingCodes = { SAME: 0, VALID: 1 } as const;

/** A sliding-window operator as the file sees it: two spatial axes, x and y as [N, H, W, C]. */
export interface Window2d {
  readonly x: TfliteTensorRef;
  readonly y: TfliteTensorRef;
  readonly inShape: readonly number[];
  readonly outShape: readonly number[];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Pads before each axis, as the source has them. */
  readonly begins: readonly [number, number];
  /** Writes what must follow the operator. */
  finish(): void;
}

/** Views a node over one or two spatial axes as one over two; a 1-D node is framed by RESHAPE. */
export function window2d(
  node: Node,
  context: TfliteWriteContext,
  x: Value,
  y: Value,
  kernel: readonly number[],
): Window2d {
  const attrs = node.attrs as unknown as SpatialAttrs;
  if (attrs.layout !== 'NHWC') context.refuse('its channels come first, where TFLite has them last');
  if (attrs.pads.some((pad) => pad < 0)) context.refuse(`its pads [${attrs.pads.join(', ')}] crop`);
  const inShape = shapeOf(x, context);
  const outShape = shapeOf(y, context);
  if (kernel.length === 2) {
    return {
      x: context.tensor(x.id),
      y: context.tensor(y.id),
      inShape,
      outShape,
      kernel: pair(kernel),
      strides: pair(attrs.strides),
      dilations: pair(attrs.dilations),
      begins: pair(attrs.pads),
      finish() {},
    };
  }
  if (kernel.length !== 1) {
    context.refuse(`it slides over ${kernel.length} axes; TFLite's integer and float kernels have 2`);
  }
  const flatIn = [inShape[0], 1, inShape[1], inShape[2]];
  const flatOut = [outShape[0], 1, outShape[1], outShape[2]];
  const flatX = innerLike(context, `${node.id}/2d`, x, flatIn);
  const flatY = innerLike(context, `${node.id}/2d_out`, y, flatOut);
  reshape(context, context.tensor(x.id), flatX, `${node.id}/2d`, flatIn);
  return {
    x: flatX,
    y: flatY,
    inShape: flatIn,
    outShape: flatOut,
    kernel: [1, kernel[0]],
    strides: [1, attrs.strides[0]],
    dilations: [1, attrs.dilations[0]],
    begins: [0, attrs.pads[0]],
    finish: () => reshape(context, flatY, context.tensor(y.id), node.id, outShape),
  };
}

function pair(list: readonly number[]): [number, number] {
  return [list[0], list[1]];
}

export type WindowPadding = 'SAME' | 'VALID' | readonly (readonly [number, number])[];

/**
 * How the file can express a window's padding: VALID or SAME where that gives the same windows, else the amounts
 * [before, after] that must be added first. What the last window does not reach is not added. SAME is TensorFlow's:
 * out = ⌈in / stride⌉, the odd element goes to the end.
 */
export function windowPadding(window: Window2d): WindowPadding {
  const axes = [0, 1].map((axis) => {
    const size = window.inShape[1 + axis];
    const count = window.outShape[1 + axis];
    const stride = window.strides[axis];
    const reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
    const before = window.begins[axis];
    const after = Math.max(0, (count - 1) * stride + reach - size - before);
    const total = Math.max(0, (count - 1) * stride + reach - size);
    return { before, after, same: count === Math.ceil(size / stride) && before === Math.floor(total / 2) };
  });
  if (axes.every(({ before, after }) => before === 0 && after === 0)) return 'VALID';
  if (axes.every(({ same }) => same)) return 'SAME';
  return axes.map(({ before, after }) => [before, after] as const);
}

/**
 * Adds the pads that SAME and VALID cannot express and returns what the operator reads. `fill` is the stored number
 * to pad with; without it the padding is the real number 0.
 */
export function padWindow(
  node: Node,
  context: TfliteWriteContext,
  window: Window2d,
  like: Value,
  padding: WindowPadding,
  fill?: number,
): { x: TfliteTensorRef; padding: number } {
  if (typeof padding === 'string') return { x: window.x, padding: paddingCodes[padding] };
  const rows = [[0, 0], ...padding, [0, 0]] as [number, number][];
  const shape = window.inShape.map((size, axis) => size + rows[axis][0] + rows[axis][1]);
  const padded = innerLike(context, `${node.id}/pad`, like, shape);
  const amounts = paddingTensor(context, `${node.id}/paddings`, rows);
  if (fill === undefined) context.op('PAD', [window.x, amounts], [padded]);
  else {
    const value = context.constant(`${node.id}/fill`, numberTensor(like.type.dtype, [1], [fill]), like.quant);
    context.op('PADV2', [window.x, amounts, value], [padded]);
  }
  return { x: padded, padding: paddingCodes.VALID };
}
