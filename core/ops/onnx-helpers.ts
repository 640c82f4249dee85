/** Small parts that the ONNX facets of all families share. */
import { WhittleError } from '../contract/errors.ts';
import type { AddOptions, GraphBuilder } from '../ir/builder.ts';
import { type DType, isFloat } from '../ir/dtype.ts';
import type { Node, Value, ValueId } from '../ir/graph.ts';
import { int64Tensor, type Tensor, tensorOf, toNumbers } from '../ir/tensor.ts';
import { halfBits } from '../kernels/half.ts';
import type { OnnxAttr, OnnxNodeView, OnnxReader, OnnxWriteContext } from './facets.ts';
import { tensorFrom } from './fold-helpers.ts';
import type { FusedActivation } from './vocabulary.ts';

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Options for the last IR node of an ONNX node: it takes over the name and the outputs. */
export function named(node: OnnxNodeView): AddOptions {
  return { name: node.name, outputs: node.outputs };
}

/** Options for an IR node that stands before the last one. */
export function inner(node: OnnxNodeView, what: string): AddOptions {
  return { name: `${node.name}/${what}` };
}

export function input(node: OnnxNodeView, index: number): Value {
  return node.inputs[index] ?? node.refuse(`input ${index} is missing`);
}

/** The numbers of an input that must be known before the model runs. */
export function constantInput(node: OnnxNodeView, index: number, what: string): number[] {
  const value = input(node, index);
  if (value.constant) return toNumbers(value.constant);
  const message = `${node.opType} "${node.name}" needs ${what} as a constant, but they are computed by the model.`;
  throw new WhittleError('model.computed-input', message);
}

export function integers(
  builder: GraphBuilder,
  node: OnnxNodeView,
  what: string,
  values: readonly number[],
): Value {
  return builder.constant(`${node.name}/${what}`, int64Tensor([values.length], values));
}

/** A scalar of any numeric type. @throws TypeError for types that hold no single number (4-bit, string). */
export function scalarTensor(dtype: DType, value: number): Tensor {
  if (dtype === 'float16') return tensorOf(dtype, [], Uint16Array.of(halfBits(value)));
  if (dtype === 'bfloat16') {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
    return tensorOf(dtype, [], Uint16Array.of((bits + 0x7fff + ((bits >> 16) & 1)) >>> 16));
  }
  return tensorFrom(dtype, [], [value]);
}

export function scalar(
  builder: GraphBuilder,
  node: OnnxNodeView,
  what: string,
  dtype: DType,
  value: number,
): Value {
  return builder.constant(`${node.name}/${what}`, scalarTensor(dtype, value));
}

/** A reader of an operator that is one IR node without attributes, with at most `inputs` inputs. */
export function plainReader(op: string): OnnxReader {
  return (node, builder) => {
    builder.add(op, node.inputs, {}, named(node));
  };
}

/** Readers of one operator that never changed since `since`. */
export function since(version: number, reader: OnnxReader): Readonly<Record<number, OnnxReader>> {
  return { [version]: reader };
}

/** The newest of an operator's readers. */
export function newest(versions: Readonly<Record<number, OnnxReader>>): OnnxReader {
  return versions[Math.max(...Object.keys(versions).map(Number))];
}

/** Refuses an attribute that is set to something other than what is handled. */
export function only(node: OnnxNodeView, name: string, value: number, allowed: number): void {
  if (value !== allowed) node.refuse(`${name} = ${value} is not supported; ${allowed} is`);
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

export type OnnxWriter = (node: Node, context: OnnxWriteContext) => void;

/** A writer for an operator that ONNX has in the same form. */
export function plainWriter(opType: string): OnnxWriter {
  return (node, context) => context.node(opType, node.inputs, node.outputs);
}

/**
 * Writes a node whose activation is fused: the operator first, then the activation, which makes the value that
 * carries the name.
 */
export function writeActivated(
  node: Node,
  context: OnnxWriteContext,
  write: (output: ValueId) => void,
): void {
  const [output] = node.outputs;
  const activation = (node.attrs.activation ?? 'none') as FusedActivation;
  if (activation === 'none') {
    write(output);
    return;
  }
  const before = context.fresh(`${output}/pre`);
  write(before);
  if (activation === 'relu') {
    context.node('Relu', [before], [output]);
    return;
  }
  const [low, high] = activation === 'relu6' ? [0, 6] : [-1, 1];
  const { dtype } = context.value(output).type;
  context.node(
    'Clip',
    [
      before,
      context.initializer(`${output}/min`, scalarTensor(dtype, low)),
      context.initializer(`${output}/max`, scalarTensor(dtype, high)),
    ],
    [output],
  );
}

/** ONNX's spatial operators know channels first only. */
export function requireChannelsFirst(node: Node, context: OnnxWriteContext): void {
  if (node.attrs.layout !== 'NCHW')
    context.refuse(`the data is ${String(node.attrs.layout)}; ONNX needs NCHW`);
}

export function int(value: number | boolean): OnnxAttr {
  return { int: Number(value) };
}

export function ints(values: readonly number[]): OnnxAttr {
  return { ints: values };
}

export function float(value: number): OnnxAttr {
  return { float: value };
}

/** A scalar initializer of the type of a float value. */
export function scalarLike(context: OnnxWriteContext, like: ValueId, name: string, value: number): ValueId {
  const { dtype } = context.value(like).type;
  if (!isFloat(dtype)) context.refuse(`${dtype} is not a float type`);
  return context.initializer(name, scalarTensor(dtype, value));
}
