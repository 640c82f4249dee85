/** Small parts that many TFLite writers share. */
import type { DType, TypedArray } from '../ir/dtype.ts';
import { isFloat, storageArray } from '../ir/dtype.ts';
import type { Node, QuantParams, TensorType, Value } from '../ir/graph.ts';
import { elementCount, type Tensor, tensorOf, toNumbers } from '../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from './facets.ts';
import type { FusedActivation, OpAttrs, OpName } from './vocabulary.ts';

export type TfliteWriter = (node: Node, context: TfliteWriteContext) => void;

/** ActivationFunctionType of the file. */
export const activationCodes: Readonly<Record<FusedActivation, number>> = {
  none: 0,
  relu: 1,
  relu_n1_to_1: 2,
  relu6: 3,
};

/** A node's attributes as its operator declares them. */
export function attrsOf<K extends OpName>(node: Node, _op: K): OpAttrs[K] {
  return node.attrs as unknown as OpAttrs[K];
}

/** A required input's value. */
export function inputValue(node: Node, context: TfliteWriteContext, index: number): Value {
  const id = node.inputs[index];
  if (id === null || id === undefined) return context.refuse(`input ${index} is missing`);
  return context.value(id);
}

export function inputTensor(node: Node, context: TfliteWriteContext, index: number): TfliteTensorRef {
  return context.tensor(inputValue(node, context, index).id);
}

export function outputValue(node: Node, context: TfliteWriteContext): Value {
  return context.value(node.outputs[0]);
}

export function outputTensor(node: Node, context: TfliteWriteContext): TfliteTensorRef {
  return context.tensor(node.outputs[0]);
}

/** A shape as numbers. Refuses one with an open dimension. */
export function shapeOf(value: Value, context: TfliteWriteContext): number[] {
  return value.type.shape.map((dim) =>
    typeof dim === 'number' ? dim : context.refuse(`${value.id} has the open dimension ${dim}`),
  );
}

/** The numbers of an input that TFLite needs to be constant. Undefined when the input is left out. */
export function constantInput(node: Node, context: TfliteWriteContext, index: number): number[] | undefined {
  const id = node.inputs[index];
  if (id === null || id === undefined) return undefined;
  const value = context.value(id);
  if (!value.constant) return context.refuse(`its input ${id} is computed while the model runs`);
  return toNumbers(value.constant);
}

/** A constant int32 vector: shapes, axes, paddings. */
export function int32Vector(
  context: TfliteWriteContext,
  name: string,
  values: readonly number[],
): TfliteTensorRef {
  return context.constant(name, tensorOf('int32', [values.length], Int32Array.from(values)));
}

export function int32Scalar(context: TfliteWriteContext, name: string, value: number): TfliteTensorRef {
  return context.constant(name, tensorOf('int32', [], Int32Array.of(value)));
}

/** Paddings as the file wants them: one row [before, after] per axis. */
export function paddingTensor(
  context: TfliteWriteContext,
  name: string,
  rows: readonly (readonly [number, number])[],
): TfliteTensorRef {
  return context.constant(name, tensorOf('int32', [rows.length, 2], Int32Array.from(rows.flat())));
}

/** A tensor of numbers in any type that has one number per element. */
export function numberTensor(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const array = storageArray[dtype as keyof typeof storageArray];
  const data = new (array as new (length: number) => TypedArray)(elementCount(shape));
  const isWide = dtype === 'int64' || dtype === 'uint64';
  for (let i = 0; i < data.length; i++) data[i] = (isWide ? BigInt(values[i]) : values[i]) as never;
  return tensorOf(dtype, shape, data);
}

const integerRange: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};

/** The lowest number that a type can store: what a maximum is padded with. */
export function lowestOf(dtype: DType, context: TfliteWriteContext): number {
  if (isFloat(dtype)) return Number.NEGATIVE_INFINITY;
  return integerRange[dtype]?.[0] ?? context.refuse(`the lowest ${dtype} is not known`);
}

/** A real number as a constant scalar of a value's type and parameters, saturated to the type. */
export function scalarLike(
  like: Value,
  context: TfliteWriteContext,
  name: string,
  real: number,
): TfliteTensorRef {
  const { dtype } = like.type;
  if (!like.quant) return context.constant(name, numberTensor(dtype, [], [real]));
  const [low, high] = integerRange[dtype] ?? context.refuse(`${dtype} holds no quantized scalars`);
  const stored = Math.round(real / like.quant.scales[0]) + like.quant.zeroPoints[0];
  return context.constant(name, numberTensor(dtype, [], [Math.min(Math.max(stored, low), high)]), like.quant);
}

export function sameQuant(a: QuantParams | undefined, b: QuantParams | undefined): boolean {
  if (!a || !b) return a === b;
  const equal = (x: readonly number[], y: readonly number[]) =>
    x.length === y.length && x.every((value, i) => value === y[i]);
  return equal(a.scales, b.scales) && equal(a.zeroPoints, b.zeroPoints);
}

/**
 * Where to write a result that must carry the parameters of `like`: the output itself, or an inner tensor that
 * `finish` turns into the output by QUANTIZE when the output has parameters of its own.
 */
export function outputWithQuantOf(
  like: Value,
  node: Node,
  context: TfliteWriteContext,
): { ref: TfliteTensorRef; finish: () => void } {
  const output = outputValue(node, context);
  const ref = context.tensor(output.id);
  // Integers of which only one side says what they stand for are the same integers.
  const isBare = !isFloat(output.type.dtype) && (!like.quant || !output.quant);
  if (isBare || sameQuant(like.quant, output.quant)) return { ref, finish: () => {} };
  const inner = context.inner(`${node.id}/unscaled`, output.type, like.quant);
  return { ref: inner, finish: () => context.op('QUANTIZE', [inner], [ref]) };
}

/** Refuses integers: for operators that are composed of several, or that have no integer kernel. */
export function needFloat(node: Node, context: TfliteWriteContext): void {
  for (const id of [node.inputs[0], node.outputs[0]]) {
    const { type, quant } = context.value(id!);
    if (quant || !isFloat(type.dtype)) {
      context.refuse(
        `TFLite has no ${quant ? 'integer form' : `form for ${type.dtype}`} of it`,
        'Keep this operator in float.',
      );
    }
  }
}

/** RESHAPE to a given shape. */
export function reshape(
  context: TfliteWriteContext,
  from: TfliteTensorRef,
  to: TfliteTensorRef,
  name: string,
  shape: readonly number[],
): void {
  if (shape.length === 0) {
    // RESHAPE takes an empty shape for one that is not known yet; all that a scalar comes from are axes of length 1.
    context.op('SQUEEZE', [from], [to], { table: 'SqueezeOptions', fields: { squeeze_dims: [] } });
    return;
  }
  context.op('RESHAPE', [from, int32Vector(context, `${name}/shape`, shape)], [to]);
}

/** An inner tensor like a value but of another shape. */
export function innerLike(
  context: TfliteWriteContext,
  name: string,
  like: { readonly type: TensorType; readonly quant?: QuantParams },
  shape: readonly number[] = like.type.shape as readonly number[],
): TfliteTensorRef {
  return context.inner(name, { dtype: like.type.dtype, shape }, like.quant);
}

/** An input with given quantization parameters: requantized by QUANTIZE when its own differ. */
export function requantized(
  value: Value,
  quant: QuantParams | undefined,
  node: Node,
  context: TfliteWriteContext,
): TfliteTensorRef {
  const ref = context.tensor(value.id);
  if (sameQuant(value.quant, quant)) return ref;
  if (!value.quant || !quant) context.refuse(`${value.id} is not quantized like its fellows`);
  const inner = context.inner(`${node.id}/rescaled`, value.type, quant);
  context.op('QUANTIZE', [ref], [inner]);
  return inner;
}

/** Writes an operator that moves elements without changing them, so that x and y must share their parameters. */
export function writeMove(
  node: Node,
  context: TfliteWriteContext,
  emit: (x: TfliteTensorRef, y: TfliteTensorRef) => void,
): void {
  const x = inputValue(node, context, 0);
  const { ref, finish } = outputWithQuantOf(x, node, context);
  emit(context.tensor(x.id), ref);
  finish();
}
