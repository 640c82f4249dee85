/**
 * Products of integers, and what quantizes their operands while the model runs (ONNX since 10 and 11, com.microsoft): in
 * float arithmetic on whole numbers, which is exact up to 2²⁴.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, permute, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import { readRecurrent } from '../composite/onnx-recurrent.ts';
import { OnnxSteps } from '../composite/onnx-steps.ts';
import { convOnnx } from '../conv/conv.onnx.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { newest } from '../onnx-helpers.ts';
import { attentionReaders } from './attention.onnx.ts';
import { seenAs } from './fused.onnx.ts';

interface Quantized {
  /** Whole numbers from 0 to 255, as float32. */
  readonly numbers: Value;
  readonly scale: Value;
  readonly zero: Value;
}

/** The quantization of ONNX's DynamicQuantizeLinear: 0 to 255 over the range of x with zero in it. */
function quantized(out: OnnxSteps, x: Value, what: string): Quantized {
  const name = (part: string) => `${what}/${part}`;
  const number = (value: number, part: string) => out.scalar('float32', value, name(part));
  const zero = number(0, 'zero');
  const low = out.one('Min', [out.reduce('ReduceMin', x, null, false, name('least')), zero], {}, name('low'));
  const high = out.one(
    'Max',
    [out.reduce('ReduceMax', x, null, false, name('most')), zero],
    {},
    name('high'),
  );
  const span = out.two('Div', out.two('Sub', high, low, name('span')), number(255, 'levels'), name('step'));
  const isFlat = out.one('Equal', [span, zero], {}, name('is_flat'));
  const scale = out.one('Where', [isFlat, number(1, 'one'), span], {}, name('scale'));
  const [least, most] = [zero, number(255, 'most_number')];
  const limited = (value: Value, part: string) => out.one('Clip', [value, least, most], {}, name(part));
  const offset = out.two('Div', out.two('Sub', zero, low, name('minus')), scale, name('offset'));
  const zeroPoint = out.one('Round', [limited(offset, 'limited')], {}, name('zero_point'));
  const steps = out.one('Round', [out.two('Div', x, scale, name('steps'))], {}, name('rounded'));
  return {
    numbers: limited(out.two('Add', steps, zeroPoint, name('moved')), 'numbers'),
    scale,
    zero: zeroPoint,
  };
}

/** The reals that quantized numbers stand for. */
function rounded(out: OnnxSteps, x: Value, what: string): Value {
  const { numbers, scale, zero } = quantized(out, x, what);
  return out.two('Mul', out.two('Sub', numbers, zero, `${what}/whole`), scale, `${what}/reals`);
}

/** Integers less their zero point, as float32. @param isColumn a zero point per row stands along the last but one axis */
function centered(out: OnnxSteps, index: number, zeroIndex: number, what: string, isColumn = false): Value {
  const x = out.cast(out.input(index), 'float32', `${what}/real`);
  const zero = out.node.inputs[zeroIndex];
  if (!zero) return x;
  const real = out.cast(zero, 'float32', `${what}/zero`);
  const shape = out.shape(real);
  const isList = shape.length === 1 && shape[0] > 1;
  const placed =
    isColumn && isList ? out.reshape(real, [shape[0], 1], `${what}/zeros`) : scalarOf(out, real, what);
  return out.two('Sub', x, placed, `${what}/whole`);
}

/** One number without axes, so that it fits any operand. */
function scalarOf(out: OnnxSteps, x: Value, what: string): Value {
  const shape = out.shape(x);
  return shape.length === 1 && shape[0] === 1 ? out.reshape(x, [], `${what}/number`) : x;
}

const readDynamicQuantizeLinear: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const { numbers, scale, zero } = quantized(out, out.input(0), 'y');
  out.last('Cast', [numbers], { to: 'uint8' });
  out.give(scale, 1);
  if (out.wants(2)) out.last('Cast', [zero], { to: 'uint8' }, 2);
};

const readMatMulInteger: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const product = out.one(
    'MatMul',
    [centered(out, 0, 2, 'a', true), centered(out, 1, 3, 'b')],
    {},
    'product',
  );
  out.last('Cast', [product], { to: 'int32' });
};

const readConvInteger: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const weights = out.input(1);
  const inputs = [centered(out, 0, 2, 'x'), weightsOf(out, weights, node.inputs[3])];
  const name = `${node.name}/sum`;
  const outputs = [builder.freeName(name)];
  newest(convOnnx.read.Conv)(seenAs(node, { name, outputs, inputs }), builder);
  out.last('Cast', [builder.get(outputs[0])], { to: 'int32' });
};

/** Weights less their zero points, which may be one per output channel. */
function weightsOf(out: OnnxSteps, weights: Value, zero: Value | null | undefined): Value {
  const real = out.cast(weights, 'float32', 'w/real');
  if (!zero) return real;
  const shape = out.shape(zero);
  const ones = out
    .shape(weights)
    .slice(1)
    .map(() => 1);
  const each = out.cast(zero, 'float32', 'w/zero');
  return out.two(
    'Sub',
    real,
    shape.length === 1 ? out.reshape(each, [shape[0], ...ones], 'w/zeros') : each,
    'w/whole',
  );
}

/** A product of whole numbers times the scales of both, plus a bias. */
function addScaled(
  out: OnnxSteps,
  a: Value,
  b: Value,
  scales: readonly Value[],
  bias: Value | null | undefined,
): void {
  const scale = out.two(
    'Mul',
    scalarOf(out, scales[0], 'scale_a'),
    scalarOf(out, scales[1], 'scale_b'),
    'scale',
  );
  const product = out.one('MatMul', [a, b], {}, 'product');
  if (!bias) {
    out.last('Mul', [product, scale], { activation: 'none' });
    return;
  }
  out.last('Add', [out.two('Mul', product, scale, 'scaled'), bias], { activation: 'none' });
}

const readMatMulIntegerToFloat: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const scales = [out.input(2), out.input(3)];
  addScaled(out, centered(out, 0, 4, 'a'), centered(out, 1, 5, 'b'), scales, node.inputs[6]);
};

const readDynamicQuantizeMatMul: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const { numbers, scale, zero } = quantized(out, out.input(0), 'a');
  const a = out.two('Sub', numbers, zero, 'a/whole');
  addScaled(out, a, centered(out, 1, 3, 'b'), [scale, out.input(2)], node.inputs[4]);
};

function constantAt(node: OnnxNodeView, index: number, what: string): Tensor {
  return node.inputs[index]?.constant ?? node.refuse(`its ${what} are not constant`);
}

/** Weights `[directions, inputs, gates]` with a scale per direction, or per gate of each, as `[directions, gates, inputs]`. */
function recurrentWeights(node: OnnxNodeView, builder: GraphBuilder, at: number, parameters: number): Value {
  const stored = constantAt(node, at, 'weights');
  const [directions, inputs, gates] = stored.shape;
  const numbers = toFloat32(stored);
  const scales = toFloat32(constantAt(node, parameters, 'scales'));
  const zeros = toFloat32(constantAt(node, parameters + 1, 'zero points'));
  const perGate = scales.length === directions * gates && zeros.length === scales.length;
  if (!perGate && (scales.length !== directions || zeros.length !== directions)) {
    node.refuse(`it has ${scales.length} scales for ${directions} × ${gates} gates`);
  }
  const reals = numbers.map((number, i) => {
    const direction = Math.floor(i / (inputs * gates));
    const entry = perGate ? direction * gates + (i % gates) : direction;
    return (number - zeros[entry]) * scales[entry];
  });
  return builder.constant(`${node.name}/weights${at}`, permute(floatTensor(stored.shape, reals), [0, 2, 1]));
}

/** An LSTM whose input is quantized as a whole, and whose state is at each step. */
const readDynamicQuantizeLstm: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const inputs = [
    rounded(out, out.input(0), 'x'),
    recurrentWeights(node, builder, 1, 8),
    recurrentWeights(node, builder, 2, 10),
    ...node.inputs.slice(3, 8),
  ];
  readRecurrent('LSTM', (h, what) => rounded(out, h, what))(seenAs(node, { inputs }), builder);
};

/** Attention over an input and weights that are quantized. */
const readQAttention: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const real = (index: number, scale: number, zero: number, what: string) =>
    out.two(
      'Mul',
      centered(out, index, zero, what),
      scalarOf(out, out.input(scale), `${what}/scale`),
      `${what}/reals`,
    );
  if (node.inputs[8]) node.refuse('keys and values of the past are not supported');
  const inputs = [real(0, 3, 6, 'x'), real(1, 4, 7, 'w'), out.input(2), node.inputs[5] ?? null];
  attentionReaders['com.microsoft::Attention'][1](seenAs(node, { inputs }), builder);
};

/** Weights of a few bits, packed from the lowest on, with a scale per block of each row. */
const readMatMulNBits: OnnxReader = (node, builder) => {
  const out = new OnnxSteps(node, builder);
  const [columns, rows, bits, block] = [
    node.int('K', 0),
    node.int('N', 0),
    node.int('bits', 4),
    node.int('block_size', 0),
  ];
  node.int('accuracy_level', 0);
  if (node.inputs[4]) node.refuse('its columns are in another order');
  if (bits !== 4 && bits !== 8) node.refuse(`bits = ${bits} is not supported; 4 and 8 are`);
  const packed = toFloat32(constantAt(node, 1, 'weights'));
  const scales = toFloat32(constantAt(node, 2, 'scales'));
  const zeroTensor = node.inputs[3] ? constantAt(node, 3, 'zero points') : undefined;
  const isPacked = zeroTensor?.dtype === 'uint8';
  const zeros = zeroTensor && toFloat32(zeroTensor);
  const blocks = Math.ceil(columns / block);
  const perByte = 8 / bits;
  const entry = (bytes: Float32Array, row: number, index: number, rowBytes: number) => {
    const byte = bytes[row * rowBytes + Math.floor(index / perByte)];
    return (byte >> ((index % perByte) * bits)) & (2 ** bits - 1);
  };
  const rowBytes = (blocks * block) / perByte;
  if (packed.length !== rows * rowBytes) node.refuse(`it has ${packed.length} bytes of weights`);
  const zeroBytes = Math.ceil(blocks / perByte);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = Math.floor(column / block);
      const zero = !zeros
        ? 2 ** (bits - 1)
        : isPacked
          ? entry(zeros, row, at, zeroBytes)
          : zeros[row * blocks + at];
      weights[row * columns + column] =
        (entry(packed, row, column, rowBytes) - zero) * scales[row * blocks + at];
    }
  }
  const x = out.input(0);
  const matrix = out.cast(out.constant(floatTensor([rows, columns], weights), 'weights'), x.type.dtype, 'w');
  out.last('FullyConnected', [x, matrix, node.inputs[5] ?? null], { activation: 'none' });
};

export const integerReaders = {
  DynamicQuantizeLinear: { 11: readDynamicQuantizeLinear },
  MatMulInteger: { 10: readMatMulInteger },
  ConvInteger: { 10: readConvInteger },
  'com.microsoft::MatMulIntegerToFloat': { 1: readMatMulIntegerToFloat },
  'com.microsoft::DynamicQuantizeMatMul': { 1: readDynamicQuantizeMatMul },
  'com.microsoft::DynamicQuantizeLSTM': { 1: readDynamicQuantizeLstm },
  'com.microsoft::QAttention': { 1: readQAttention },
  'com.microsoft::MatMulNBits': { 1: readMatMulNBits },
};
