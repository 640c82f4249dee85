/** What the Keras facets of several families share. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { Attrs, Value } from '../ir/graph.ts';
import { floatTensor, int64Tensor, type Tensor } from '../ir/tensor.ts';
import type { KerasLayerView } from './facets.ts';
import type { Layout } from './vocabulary.ts';

/**
 * A constant for a weight. A layer that is called twice asks for the same weight twice; the constant that is there
 * already is used then.
 */
export function weightConstant(builder: GraphBuilder, name: string, tensor: Tensor): Value {
  if (builder.has(name)) {
    const known = builder.get(name);
    if (known.constant && isSameView(known.constant, tensor)) return known;
  }
  return builder.constant(name, tensor);
}

function isSameView(a: Tensor, b: Tensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.bytes.buffer === b.bytes.buffer &&
    a.bytes.byteOffset === b.bytes.byteOffset &&
    a.shape.join() === b.shape.join() &&
    a.strides?.join() === b.strides?.join()
  );
}

/** A small int64 constant: axes, shapes, pads. */
export function intsConstant(builder: GraphBuilder, name: string, values: readonly number[]): Value {
  return builder.constant(name, int64Tensor([values.length], values));
}

/** A float32 scalar constant. */
export function scalarConstant(builder: GraphBuilder, name: string, value: number): Value {
  return builder.constant(name, floatTensor([], [value]));
}

/** `data_format` of a layer as the IR's layout. */
export function layoutOf(layer: KerasLayerView): Layout {
  const format = layer.config.data_format ?? 'channels_last';
  if (format === 'channels_last') return 'NHWC';
  if (format === 'channels_first') return 'NCHW';
  return layer.refuse(
    `option data_format is ${JSON.stringify(format)}; channels_last or channels_first is expected`,
  );
}

/** A value's shape as numbers; every dimension is known once the inputs are. */
export function shapeOf(layer: KerasLayerView, value: Value): number[] {
  return value.type.shape.map((dim) =>
    typeof dim === 'number' ? dim : layer.refuse(`${value.id} has the open dimension ${dim}`),
  );
}

/** The only tensor that a layer takes. */
export function onlyInput(layer: KerasLayerView): Value {
  if (layer.inputs.length === 1) return layer.inputs[0];
  return layer.refuse(`takes 1 input, not ${layer.inputs.length}`);
}

/** An axis counted from the front. */
export function axisOf(layer: KerasLayerView, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive >= 0 && positive < rank) return positive;
  return layer.refuse(`axis ${axis} is not one of a tensor of ${rank} axes`);
}

/** Sizes of the spatial axes. */
export function spatialSizes(shape: readonly number[], layout: Layout): number[] {
  return layout === 'NHWC' ? shape.slice(1, -1) : shape.slice(2);
}

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Explicit pads for Keras' `padding`, begins then ends. `same` is TensorFlow's rule: the output has ⌈size / stride⌉
 * elements, an odd rest goes to the end.
 */
export function explicitPads(
  layer: KerasLayerView,
  padding: string,
  sizes: readonly number[],
  { kernel, strides, dilations }: Window,
): number[] {
  const reach = kernel.map((size, i) => (size - 1) * dilations[i] + 1);
  if (padding === 'valid') return new Array<number>(kernel.length * 2).fill(0);
  if (padding === 'causal') return [...reach.map((size) => size - 1), ...kernel.map(() => 0)];
  if (padding !== 'same') return layer.refuse(`padding ${padding} is not known; valid, same and causal are`);
  const totals = sizes.map((size, i) =>
    Math.max((Math.ceil(size / strides[i]) - 1) * strides[i] + reach[i] - size, 0),
  );
  const begins = totals.map((total) => Math.floor(total / 2));
  return [...begins, ...totals.map((total, i) => total - begins[i])];
}

/** Adds a node that yields the layer's result: it bears the layer's name. */
export function resultOf(
  layer: KerasLayerView,
  builder: GraphBuilder,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): Value {
  return builder.one(op, inputs, attrs, { name: layer.name });
}

/** Attributes of an arithmetic operator or a dense layer on its own. */
export const plain: Attrs = { activation: 'none' };

/** Adds a node under an inner name of a layer. */
export type InnerNode = (
  op: string,
  inputs: readonly (Value | null)[],
  suffix: string,
  attrs?: Attrs,
) => Value;

export function innerNodes(layer: KerasLayerView, builder: GraphBuilder): InnerNode {
  return (op, inputs, suffix, attrs = {}) =>
    builder.one(op, inputs, attrs, { name: `${layer.name}/${suffix}` });
}

/** Reshapes to known sizes. */
export function reshapeTo(builder: GraphBuilder, x: Value, shape: readonly number[], name: string): Value {
  const target = intsConstant(builder, `${name}/shape`, shape);
  return builder.one('Reshape', [x, target], { allowZero: false }, { name });
}
