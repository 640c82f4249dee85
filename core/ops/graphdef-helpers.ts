/** Small parts that the GraphDef readers of many families share. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { DType } from '../ir/dtype.ts';
import type { Attrs, Value } from '../ir/graph.ts';
import { int64Tensor, toNumbers } from '../ir/tensor.ts';
import type { GraphDefNodeView, GraphDefReader } from './facets.ts';
import { scalarTensor } from './onnx-helpers.ts';
import type { Layout } from './vocabulary.ts';

/** An arithmetic operator without a fused activation. */
export const unfused: Attrs = { activation: 'none' };

/** A required input. */
export function inputOf(node: GraphDefNodeView, index: number): Value {
  return node.inputs[index] ?? node.refuse(`its input ${index} is missing`);
}

/** Adds the node that yields the (first) result: it bears the source's name. */
export function resultOf(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): Value {
  return builder.one(op, inputs, attrs, { name: node.name });
}

/** Adds a node before the last one. */
export function innerOf(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): Value {
  return builder.one(op, inputs, attrs, { name: `${node.name}/${op.toLowerCase()}` });
}

/** A reader of an operator that is one IR node over the same inputs. */
export function plainReader(op: string, count: number, attrs: Attrs = {}): GraphDefReader {
  return (node, builder) => {
    const inputs = Array.from({ length: count }, (_, i) => inputOf(node, i));
    return [resultOf(node, builder, op, inputs, attrs)];
  };
}

/** The numbers of an input that must be known before the model runs. */
export function constantNumbersOf(node: GraphDefNodeView, index: number, what: string): number[] {
  const { constant } = inputOf(node, index);
  return constant ? toNumbers(constant) : node.refuse(`its ${what} are computed while the model runs`);
}

export function int64Constant(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  name: string,
  values: readonly number[],
): Value {
  return builder.constant(`${node.name}/${name}`, int64Tensor([values.length], values));
}

export function scalarConstant(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  name: string,
  dtype: DType,
  value: number,
): Value {
  return builder.constant(`${node.name}/${name}`, scalarTensor(dtype, value));
}

/** A shape or list of axes as the IR wants it: int64. */
export function asInt64(node: GraphDefNodeView, builder: GraphBuilder, value: Value): Value {
  if (value.type.dtype === 'int64') return value;
  if (!value.constant) return innerOf(node, builder, 'Cast', [value], { to: 'int64' });
  const { shape } = value.constant;
  return builder.constant(`${value.id}/int64`, int64Tensor(shape, toNumbers(value.constant)));
}

/** A list of axes, which TensorFlow also takes as a single number. */
export function axesOf(node: GraphDefNodeView, index: number): number[] {
  const rank = inputOf(node, 0).type.shape.length;
  return constantNumbersOf(node, index, 'axes').map((axis) => axisOf(node, axis, rank));
}

/** An axis counted from the front. */
export function axisOf(node: GraphDefNodeView, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  return positive >= 0 && positive < rank
    ? positive
    : node.refuse(`its axis ${axis} is not one of a tensor of ${rank} axes`);
}

/** A shape as numbers. Refuses an open dimension. */
export function staticShapeOf(node: GraphDefNodeView, value: Value): number[] {
  return value.type.shape.map((dim) =>
    typeof dim === 'number'
      ? dim
      : node.refuse(`the size ${dim} of its input ${value.id} is open`, 'Give the input shapes.'),
  );
}

/** Reshapes to known sizes. */
export function reshapeOf(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  x: Value,
  shape: readonly number[],
): Value {
  return innerOf(node, builder, 'Reshape', [x, int64Constant(node, builder, 'shape', shape)], {
    allowZero: true,
  });
}

/** `data_format` as the IR's layout. */
export function layoutOf(node: GraphDefNodeView): Layout {
  const format = node.string('data_format', 'NHWC');
  if (format === 'NHWC' || format === 'NDHWC') return 'NHWC';
  if (format === 'NCHW' || format === 'NCDHW') return 'NCHW';
  return node.refuse(`its data_format is ${format}; NHWC and NCHW are read`);
}

/** The entries of a list over all four (or five) axes that are for space. Batch and channels must be 1. */
export function spatialEntries(
  node: GraphDefNodeView,
  name: string,
  layout: Layout,
  rank: number,
  list: readonly number[] = node.ints(name),
): number[] {
  const full = list.length === 0 ? new Array<number>(rank).fill(1) : list;
  const space = layout === 'NHWC' ? full.slice(1, -1) : full.slice(2);
  const channel = layout === 'NHWC' ? full[full.length - 1] : full[1];
  if (full.length !== rank || full[0] !== 1 || channel !== 1 || space.some((size) => size < 1)) {
    node.refuse(`its ${name} is [${full.join(', ')}]`);
  }
  return space;
}

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Pads [begins…, ends…] of `padding`. SAME is TensorFlow's rule: the result has ⌈size / stride⌉ elements, an odd rest
 * goes to the end. EXPLICIT lists a pair per axis, batch and channels included.
 */
export function padsOf(
  node: GraphDefNodeView,
  layout: Layout,
  sizes: readonly number[],
  { kernel, strides, dilations }: Window,
): number[] {
  const padding = node.string('padding', 'VALID');
  const explicit = node.ints('explicit_paddings');
  if (padding === 'VALID') return sizes.flatMap(() => [0, 0]);
  if (padding === 'EXPLICIT') {
    const first = layout === 'NHWC' ? 1 : 2;
    const axes = sizes.map((_, i) => first + i);
    const outer = explicit.filter((_, i) => !axes.includes(Math.floor(i / 2)));
    if (explicit.length !== 2 * (sizes.length + 2) || outer.some((pad) => pad !== 0)) {
      node.refuse(`its explicit_paddings are [${explicit.join(', ')}]`);
    }
    return [...axes.map((axis) => explicit[2 * axis]), ...axes.map((axis) => explicit[2 * axis + 1])];
  }
  if (padding !== 'SAME') node.refuse(`its padding is ${padding}; SAME, VALID and EXPLICIT are read`);
  const totals = sizes.map((size, i) => {
    const reach = (kernel[i] - 1) * dilations[i] + 1;
    return Math.max(0, (Math.ceil(size / strides[i]) - 1) * strides[i] + reach - size);
  });
  return [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))];
}

/** Limits a value from below and above. */
export function clipOf(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  x: Value,
  [low, high]: readonly [number, number],
): Value {
  const limit = (name: string, value: number) => scalarConstant(node, builder, name, x.type.dtype, value);
  return resultOf(node, builder, 'Clip', [x, limit('min', low), limit('max', high)]);
}
