import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addClip,
  addInner,
  addLast,
  flagOption,
  floatScalar,
  inputOf,
  numberOption,
  onReals,
  type TfliteReader,
} from '../tflite-read-helpers.ts';

function unary(irOp: string, attrs: Record<string, number> = {}): TfliteReader {
  return (op, builder) => addLast(op, builder, irOp, [inputOf(op, 0)], attrs);
}

function clip(low: number, high: number): TfliteReader {
  return (op, builder) => addClip(op, builder, inputOf(op, 0), [low, high]);
}

function readSoftmax(op: TfliteOpView, builder: GraphBuilder): void {
  const beta = numberOption(op, 'beta', 1);
  if (beta === 1) addLast(op, builder, 'Softmax', [inputOf(op, 0)], { axis: -1 });
  else readSharpened(op, builder);
}

const readSharpened = onReals((op, builder) => {
  const factor = builder.constant(`${op.name}/beta`, floatScalar(numberOption(op, 'beta', 1)));
  const x = addInner(op, builder, 'Mul', [inputOf(op, 0), factor], { activation: 'none' });
  addLast(op, builder, 'Softmax', [x], { axis: -1 });
});

export const activationTfliteReaders: Readonly<Record<string, TfliteReader>> = {
  RELU: unary('Relu'),
  RELU6: clip(0, 6),
  RELU_N1_TO_1: clip(-1, 1),
  RELU_0_TO_1: clip(0, 1),
  LOGISTIC: unary('Sigmoid'),
  TANH: unary('Tanh'),
  HARD_SWISH: unary('HardSwish'),
  ELU: unary('Elu', { alpha: 1 }),
  LEAKY_RELU: (op, builder) =>
    addLast(op, builder, 'LeakyRelu', [inputOf(op, 0)], { alpha: numberOption(op, 'alpha') }),
  PRELU: (op, builder) => addLast(op, builder, 'PRelu', [inputOf(op, 0), inputOf(op, 1)]),
  GELU: (op, builder) =>
    addLast(op, builder, 'Gelu', [inputOf(op, 0)], { approximate: flagOption(op, 'approximate') }),
  SOFTMAX: readSoftmax,
  LOG_SOFTMAX: (op, builder) => addLast(op, builder, 'LogSoftmax', [inputOf(op, 0)], { axis: -1 }),
};
