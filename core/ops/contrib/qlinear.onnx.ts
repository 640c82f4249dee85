/**
 * Operators from integers to integers (ONNX QLinearConv and QLinearMatMul, com.microsoft's QLinear…): the same operators
 * on reals, between DequantizeLinear and QuantizeLinear.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, floatTensor, toFloat32 } from '../../ir/tensor.ts';
import { activationOnnx } from '../activation/activation.onnx.ts';
import { addDequantize, addQuantize } from '../border/border.onnx.ts';
import { convOnnx } from '../conv/conv.onnx.ts';
import { denseOnnx } from '../dense/dense.onnx.ts';
import { elementwiseOnnx } from '../elementwise/elementwise.onnx.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { input, newest } from '../onnx-helpers.ts';
import { poolOnnx } from '../pool/pool.onnx.ts';
import { shapeOnnx } from '../shape/shape.onnx.ts';
import { seenAs } from './fused.onnx.ts';

/** Scale and zero point of one number each may come as lists of one. */
function single(node: OnnxNodeView, builder: GraphBuilder, value: Value | null | undefined): Value | null {
  const constant = value?.constant;
  if (!value || !constant || constant.shape.length !== 1 || constant.shape[0] !== 1) return value ?? null;
  return builder.constant(`${node.name}/${value.id}`, { ...constant, shape: [], strides: undefined });
}

/** The reals of the input at an index, whose scale and zero point follow it. @param axis of one scale each */
function realAt(node: OnnxNodeView, builder: GraphBuilder, index: number, axis = 0): Value {
  const [x, scale] = [input(node, index), input(node, index + 1)];
  const zero = single(node, builder, node.inputs[index + 2]);
  const operands = [x, single(node, builder, scale)!, zero] as const;
  return addDequantize(builder, operands, axis, { name: `${node.name}/real${index}` });
}

/** A result in reals as the node's own, with the scale at an index and the zero point behind it. */
function giveQuantized(
  node: OnnxNodeView,
  builder: GraphBuilder,
  real: Value,
  index: number,
  like: Value = input(node, 0),
): void {
  const scale = single(node, builder, input(node, index))!;
  const zero = single(node, builder, node.inputs[index + 1]);
  const dtype = zero?.type.dtype ?? like.type.dtype;
  const { rank, axis } = { rank: real.type.shape.length, axis: Math.max(0, real.type.shape.length - 2) };
  if (elementCount(scale.type.shape as number[]) > 1 && rank > 2)
    node.refuse('its result has a scale per row');
  addQuantize(builder, [real, scale, zero], dtype, axis, { name: node.name, outputs: node.outputs });
}

/** Lets the reader of an operator on reals do its work. @returns its result */
function inReals(
  node: OnnxNodeView,
  builder: GraphBuilder,
  reader: OnnxReader,
  inputs: readonly (Value | null)[],
  changes: Partial<OnnxNodeView> = {},
): Value {
  const name = `${node.name}/real`;
  const outputs = [builder.freeName(name)];
  reader(seenAs(node, { name, outputs, inputs, opset: Math.max(node.opset, 13), ...changes }), builder);
  return builder.get(outputs[0]);
}

/** Of operators with as many operands as given, each with scale and zero point, and those of the result behind them. */
function readOperands(reader: OnnxReader, count: number, changes: Partial<OnnxNodeView> = {}): OnnxReader {
  return (node, builder) => {
    const inputs = Array.from({ length: count }, (_, i) => realAt(node, builder, 3 * i));
    giveQuantized(node, builder, inReals(node, builder, reader, inputs, changes), 3 * count);
  };
}

/** A bias of 32 bits, whose scale is the product of those of x and the weights, as reals. */
function realBias(
  node: OnnxNodeView,
  builder: GraphBuilder,
  index: number,
  scales: readonly [number, number],
  factor = 1,
): Value | null {
  const bias = node.inputs[index];
  if (!bias) return null;
  const [a, b] = scales.map((at) => input(node, at).constant);
  if (!bias.constant || !a || !b) return node.refuse('its bias or a scale is computed while the model runs');
  const [numbers, [own], each] = [toFloat32(bias.constant), toFloat32(a), toFloat32(b)];
  const reals = numbers.map(
    (number, i) => number * own * factor * each[each.length > 1 ? i % each.length : 0],
  );
  return builder.constant(`${node.name}/bias`, floatTensor(bias.constant.shape, reals));
}

const readQLinearConv: OnnxReader = (node, builder) => {
  const inputs = [realAt(node, builder, 0), realAt(node, builder, 3), realBias(node, builder, 8, [1, 4])];
  giveQuantized(node, builder, inReals(node, builder, newest(convOnnx.read.Conv), inputs), 6);
};

/** Rows of the left operand and columns of the right one may have a scale each. */
const readQLinearMatMul: OnnxReader = (node, builder) => {
  const axis = (index: number, fromEnd: number) =>
    Math.max(0, input(node, index).type.shape.length - fromEnd);
  const inputs = [realAt(node, builder, 0, axis(0, 2)), realAt(node, builder, 3, axis(3, 1))];
  giveQuantized(node, builder, inReals(node, builder, newest(denseOnnx.read.MatMul), inputs), 6);
};

const readQGemm: OnnxReader = (node, builder) => {
  const alpha = node.float('alpha', 1);
  const isTurned = node.int('transB', 0) !== 0;
  const bias = realBias(node, builder, 6, [1, 4], alpha);
  const inputs = [realAt(node, builder, 0), realAt(node, builder, 3, isTurned ? 0 : 1), bias];
  if (node.inputs[7])
    giveQuantized(node, builder, inReals(node, builder, newest(denseOnnx.read.Gemm), inputs), 7);
  else newest(denseOnnx.read.Gemm)(seenAs(node, { inputs }), builder);
};

const readQLinearConcat: OnnxReader = (node, builder) => {
  const count = Math.floor((node.inputs.length - 2) / 3);
  const inputs = Array.from({ length: count }, (_, i) => realAt(node, builder, 2 + 3 * i));
  const real = inReals(node, builder, newest(shapeOnnx.read.Concat), inputs);
  giveQuantized(node, builder, real, 0, input(node, 2));
};

function channelsFirst(reader: OnnxReader): OnnxReader {
  return (node, builder) => {
    if (node.int('channels_last', 0) !== 0) node.refuse('channels_last = 1 is not supported');
    reader(node, builder);
  };
}

/** In the opset that an attribute names. */
const readQLinearSoftmax: OnnxReader = (node, builder) => {
  const opset = node.int('opset', 13);
  const reader = activationOnnx.read.Softmax[opset < 13 ? 1 : 13];
  readOperands(reader, 1, { opset })(node, builder);
};

export const qlinearReaders = {
  QLinearConv: { 10: readQLinearConv },
  QLinearMatMul: { 10: readQLinearMatMul },
  'com.microsoft::QGemm': { 1: readQGemm },
  'com.microsoft::QLinearConcat': { 1: readQLinearConcat },
  'com.microsoft::QLinearAdd': { 1: readOperands(newest(elementwiseOnnx.read.Add), 2) },
  'com.microsoft::QLinearMul': { 1: readOperands(newest(elementwiseOnnx.read.Mul), 2) },
  'com.microsoft::QLinearLeakyRelu': { 1: readOperands(newest(activationOnnx.read.LeakyRelu), 1) },
  'com.microsoft::QLinearSigmoid': { 1: readOperands(newest(activationOnnx.read.Sigmoid), 1) },
  'com.microsoft::QLinearSoftmax': { 1: readQLinearSoftmax },
  'com.microsoft::QLinearAveragePool': {
    1: channelsFirst(readOperands(newest(poolOnnx.read.AveragePool), 1)),
  },
  'com.microsoft::QLinearGlobalAveragePool': {
    1: channelsFirst(readOperands(newest(poolOnnx.read.GlobalAveragePool), 1)),
  },
};
