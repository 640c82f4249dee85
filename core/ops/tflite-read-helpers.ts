/** Small parts that many TFLite readers share. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { Attrs, QuantParams, TensorType, Value } from '../ir/graph.ts';
import {
  contiguous,
  elementCount,
  int64Tensor,
  permute,
  type Tensor,
  tensorOf,
  toNumbers,
  typedData,
} from '../ir/tensor.ts';
import { packInt4, unpackInt4 } from '../kernels/int4.ts';
import type { TfliteOpView } from './facets.ts';
import { numberTensor } from './tflite-helpers.ts';
import type { FusedActivation } from './vocabulary.ts';

export type TfliteReader = (op: TfliteOpView, builder: GraphBuilder) => void;

/** A required input. */
export function inputOf(op: TfliteOpView, index: number): Value {
  return op.inputs[index] ?? op.refuse(`its input ${index} is missing`);
}

/** Adds the node that makes the operator's (first) output. */
export function addLast(
  op: TfliteOpView,
  builder: GraphBuilder,
  irOp: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): void {
  builder.add(irOp, inputs, attrs, { name: op.name, outputs: [op.outputs[0].name] });
}

/** Adds a node before the last one. */
export function addInner(
  op: TfliteOpView,
  builder: GraphBuilder,
  irOp: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): Value {
  return builder.one(irOp, inputs, attrs, { name: `${op.name}/${irOp.toLowerCase()}` });
}

const activations: readonly FusedActivation[] = ['none', 'relu', 'relu_n1_to_1', 'relu6'];

/** The fused activation as an attribute. TANH and SIGN_BIT exist in the schema only; no kernel has them. */
export function activationOf(op: TfliteOpView): FusedActivation {
  const code = numberOption(op, 'fused_activation_function');
  return activations[code] ?? op.refuse(`its fused activation is number ${code}, which no TFLite kernel has`);
}

/** Adds the last node and, where the IR's operator cannot fuse one, its activation. */
export function addActivated(
  op: TfliteOpView,
  builder: GraphBuilder,
  irOp: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs = {},
): void {
  const activation = activationOf(op);
  if (activation === 'none') {
    addLast(op, builder, irOp, inputs, attrs);
    return;
  }
  const x = addInner(op, builder, irOp, inputs, attrs);
  if (activation === 'relu') addLast(op, builder, 'Relu', [x]);
  else addClip(op, builder, x, activation === 'relu6' ? [0, 6] : [-1, 1]);
}

export function addClip(
  op: TfliteOpView,
  builder: GraphBuilder,
  x: Value,
  [low, high]: readonly [number, number],
): void {
  const limit = (name: string, value: number) => builder.constant(`${op.name}/${name}`, floatScalar(value));
  addLast(op, builder, 'Clip', [x, limit('min', low), limit('max', high)]);
}

export function floatScalar(value: number): Tensor {
  return { dtype: 'float32', shape: [], bytes: new Uint8Array(Float32Array.of(value).buffer) };
}

export function numberOption(op: TfliteOpView, name: string, fallback = 0): number {
  const value = op.options[name];
  return typeof value === 'number' ? value : fallback;
}

/** A stride, a window or a block: at least 1. */
export function sizeOption(op: TfliteOpView, name: string, fallback?: number): number {
  const value = op.options[name] === undefined && fallback !== undefined ? fallback : numberOption(op, name);
  return value >= 1 ? value : op.refuse(`its ${name} is ${value}`);
}

export function flagOption(op: TfliteOpView, name: string): boolean {
  return op.options[name] === true;
}

/** Numbers of a constant input; refuses one that is computed. */
export function constantNumbersOf(op: TfliteOpView, index: number, what: string): number[] {
  const value = inputOf(op, index);
  return value.constant
    ? toNumbers(value.constant)
    : op.refuse(`its ${what} are computed while the model runs`);
}

export function int64Constant(
  op: TfliteOpView,
  builder: GraphBuilder,
  name: string,
  values: readonly number[],
): Value {
  return builder.constant(`${op.name}/${name}`, int64Tensor([values.length], values));
}

/** A shape or list of axes as the IR wants it: int64. */
export function asInt64(op: TfliteOpView, builder: GraphBuilder, value: Value): Value {
  if (value.type.dtype === 'int64') return value;
  if (!value.constant) return addInner(op, builder, 'Cast', [value], { to: 'int64' });
  return builder.constant(`${value.id}/int64`, int64Tensor(value.constant.shape, toNumbers(value.constant)));
}

/** Weights in the IR's axis order: a view when they are constant, dequantized after it when they were before. */
export function arranged(
  op: TfliteOpView,
  builder: GraphBuilder,
  value: Value,
  perm: readonly number[],
): Value {
  const stored = op.stored(value);
  if (stored) {
    const turned = arranged(op, builder, stored, perm);
    const { inputs, attrs } = borderParameters(op, builder, turned, `${value.id}/`);
    return builder.one('DequantizeLinear', [turned, ...inputs], attrs, { name: `${value.id}/arranged` });
  }
  if (!value.constant) return addInner(op, builder, 'Transpose', [value], { perm });
  const { quant } = value;
  return builder.constant(
    `${value.id}/arranged`,
    permuted(value.constant, perm),
    quant?.axis === undefined ? quant : { ...quant, axis: perm.indexOf(quant.axis) },
  );
}

/** 4-bit elements cannot be strided and are moved at once. */
function permuted(tensor: Tensor, perm: readonly number[]): Tensor {
  if (tensor.dtype !== 'int4') return permute(tensor, perm);
  const wide = tensorOf('int8', tensor.shape, unpackInt4(tensor.bytes, elementCount(tensor.shape)));
  const moved = contiguous(permute(wide, perm));
  return { dtype: 'int4', shape: moved.shape, bytes: packInt4(typedData(moved) as Int8Array) };
}

/** Scale and zero point of a quantized value as the inputs that the IR's border operators want. */
export function borderParameters(
  op: TfliteOpView,
  builder: GraphBuilder,
  { type: { dtype }, quant }: { readonly type: TensorType; readonly quant?: QuantParams },
  prefix: string,
): { inputs: [Value, Value]; attrs: { axis: number } } {
  if (!quant) return op.refuse('its integers have no scale');
  const { scales, zeroPoints, axis = 0 } = quant;
  const shape = scales.length > 1 ? [scales.length] : [];
  const zeros: Tensor =
    dtype === 'int4'
      ? { dtype, shape, bytes: packInt4(Int8Array.from(zeroPoints)) }
      : numberTensor(dtype, shape, zeroPoints);
  return {
    inputs: [
      builder.constant(`${prefix}scale`, numberTensor('float32', shape, scales)),
      builder.constant(`${prefix}zero_point`, zeros),
    ],
    attrs: { axis },
  };
}

/** A shape as numbers. Refuses an open dimension. */
export function staticShapeOf(op: TfliteOpView, value: Value): number[] {
  return value.type.shape.map((dim) =>
    typeof dim === 'number'
      ? dim
      : op.refuse(`the size ${dim} of its input ${value.id} is open`, 'Give the input shapes.'),
  );
}

/**
 * A reader that makes several operators of one: inner values have no scale in the file, so a quantized one is read as
 * the same steps on reals, between borders.
 */
export function onReals(reader: TfliteReader): TfliteReader {
  return (op, builder) => {
    const [output, ...others] = op.outputs;
    if (!op.inputs.some((input) => input?.quant) && !output.quant) {
      reader(op, builder);
      return;
    }
    if (others.length > 0) op.refuse('its integer form is not read');
    const inputs = op.inputs.map((input, i) => {
      if (!input?.quant) return input;
      const border = borderParameters(op, builder, input, `${op.name}/input${i}_`);
      const options = { name: `${op.name}/input${i}` };
      return builder.one('DequantizeLinear', [input, ...border.inputs], border.attrs, options);
    });
    if (!output.quant) {
      reader({ ...op, inputs }, builder);
      return;
    }
    const real = {
      name: builder.freeName(`${output.name}/real`),
      type: { ...output.type, dtype: 'float32' as const },
    };
    reader({ ...op, inputs, outputs: [real], name: real.name }, builder);
    const border = borderParameters(op, builder, output, `${op.name}/`);
    addLast(op, builder, 'QuantizeLinear', [builder.get(real.name), ...border.inputs], border.attrs);
  };
}

/** Pads [begins…, ends…] that TensorFlow's padding number stands for. */
export function readPads(
  op: TfliteOpView,
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): number[] {
  if (numberOption(op, 'padding') === 1) return sizes.flatMap(() => [0, 0]);
  const totals = sizes.map((size, axis) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size);
  });
  return [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))];
}
