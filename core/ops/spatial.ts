/** Shape arithmetic that convolution and pooling share. */
import type { Dim, Value } from '../ir/graph.ts';
import { type Failing, shapeText } from './infer-helpers.ts';
import type { Layout, SpatialAttrs } from './vocabulary.ts';

/** Axis of the channels of a tensor of this rank. */
export function channelAxis(layout: Layout, rank: number): number {
  return layout === 'NCHW' ? 1 : rank - 1;
}

/** Axes of space of a tensor of this rank, in order. */
export function spatialAxes(layout: Layout, rank: number): number[] {
  const first = layout === 'NCHW' ? 2 : 1;
  return Array.from({ length: rank - 2 }, (_, i) => first + i);
}

/** A shape in the axis order of `layout`. */
export function spatialShape(layout: Layout, batch: Dim, channels: Dim, space: readonly Dim[]): Dim[] {
  return layout === 'NCHW' ? [batch, channels, ...space] : [batch, ...space, channels];
}

/** Checks that stride, dilation and pad lists have one entry (pads: two) per spatial axis. */
export function checkSpatial(context: Failing, x: Value, kernel: number, attrs: SpatialAttrs): void {
  const axes = x.type.shape.length - 2;
  if (axes < 1)
    context.fail(`the input has shape ${shapeText(x.type.shape)}; a spatial operator needs rank 3 or more`);
  const lengths = [kernel, attrs.strides.length, attrs.dilations.length, attrs.pads.length / 2];
  if (lengths.some((length) => length !== axes)) {
    context.fail(
      `kernel, strides, dilations and pads are for ${lengths.join(', ')} spatial axes; the input has ${axes}`,
    );
  }
}

/**
 * Positions of a sliding window along one axis (ONNX Conv and Pool, "explicit padding"). With `ceilMode` the last
 * window may hang over the end, but it must begin inside the input or its leading pad.
 */
export function windowCount(
  context: Failing,
  size: Dim,
  window: { kernel: number; stride: number; dilation: number; begin: number; end: number },
  ceilMode = false,
): Dim {
  const { kernel, stride, dilation, begin, end } = window;
  const reach = dilation * (kernel - 1) + 1;
  if (typeof size === 'string') {
    return stride === 1 && begin + end === reach - 1
      ? size
      : `windows(${size},${reach},${stride},${begin + end})`;
  }
  const room = size + begin + end - reach;
  if (room < 0) {
    context.fail(`a window of ${reach} does not fit into ${size} elements padded by ${begin} and ${end}`);
  }
  if (!ceilMode) return Math.floor(room / stride) + 1;
  const count = Math.ceil(room / stride) + 1;
  return (count - 1) * stride >= size + begin ? count - 1 : count;
}
