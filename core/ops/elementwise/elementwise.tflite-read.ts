import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addInner,
  addLast,
  inputOf,
  onReals,
  type TfliteReader,
} from '../tflite-read-helpers.ts';

function unary(irOp: string): TfliteReader {
  return (op, builder) => addLast(op, builder, irOp, [inputOf(op, 0)]);
}

function binary(irOp: string): TfliteReader {
  return (op, builder) => addLast(op, builder, irOp, [inputOf(op, 0), inputOf(op, 1)]);
}

function activatedBinary(irOp: string): TfliteReader {
  return (op, builder) =>
    addLast(op, builder, irOp, [inputOf(op, 0), inputOf(op, 1)], { activation: activationOf(op) });
}

/** An operator made of an inner one and a last one over its result. */
function chained(inner: string, last: string): TfliteReader {
  return onReals((op, builder) => {
    const inputs = op.inputs.map((_, i) => inputOf(op, i));
    addLast(op, builder, last, [addInner(op, builder, inner, inputs, innerAttrs(inner))]);
  });
}

function innerAttrs(irOp: string): Record<string, string> {
  return irOp === 'Div' ? { activation: 'none' } : {};
}

/** Strict comparison or equality: not the opposite, which would be true for NaN. */
function orEqual(irOp: string): TfliteReader {
  return onReals((op, builder) => {
    const inputs = [inputOf(op, 0), inputOf(op, 1)];
    addLast(op, builder, 'Or', [addInner(op, builder, irOp, inputs), addInner(op, builder, 'Equal', inputs)]);
  });
}

const readSquare = onReals((op, builder) =>
  addLast(op, builder, 'Mul', [inputOf(op, 0), inputOf(op, 0)], { activation: 'none' }),
);

const readSquaredDifference = onReals((op, builder) => {
  const difference = addInner(op, builder, 'Sub', [inputOf(op, 0), inputOf(op, 1)], { activation: 'none' });
  addLast(op, builder, 'Mul', [difference, difference], { activation: 'none' });
});

/** Integers are divided without a rest, where rounding down and rounding to zero are the same. */
function readFloorDiv(op: TfliteOpView, builder: GraphBuilder): void {
  const [x, y] = [inputOf(op, 0), inputOf(op, 1)];
  if (x.type.dtype.startsWith('float')) {
    chained('Div', 'Floor')(op, builder);
    return;
  }
  const rest = addInner(op, builder, 'Mod', [x, y], { truncated: false });
  const multiple = addInner(op, builder, 'Sub', [x, rest], { activation: 'none' });
  addLast(op, builder, 'Div', [multiple, y], { activation: 'none' });
}

const readAddN = onReals((op, builder) => {
  let sum = inputOf(op, 0);
  if (op.inputs.length === 1) addLast(op, builder, 'Identity', [sum]);
  for (let i = 1; i < op.inputs.length; i++) {
    const inputs = [sum, inputOf(op, i)];
    if (i === op.inputs.length - 1) addLast(op, builder, 'Add', inputs, { activation: 'none' });
    else sum = addInner(op, builder, 'Add', inputs, { activation: 'none' });
  }
});

/** SELECT also takes a vector that picks whole rows, which broadcasts in another way. */
function readSelect(op: TfliteOpView, builder: GraphBuilder): void {
  const [condition, x, y] = [0, 1, 2].map((i) => inputOf(op, i));
  if (op.builtin === 'SELECT' && condition.type.shape.length === 1 && x.type.shape.length > 1) {
    op.refuse('its condition picks rows');
  }
  addLast(op, builder, 'Where', [condition, x, y]);
}

export const elementwiseTfliteReaders: Readonly<Record<string, TfliteReader>> = {
  ADD: activatedBinary('Add'),
  SUB: activatedBinary('Sub'),
  MUL: activatedBinary('Mul'),
  DIV: activatedBinary('Div'),
  ADD_N: readAddN,
  MAXIMUM: binary('Max'),
  MINIMUM: binary('Min'),
  POW: binary('Pow'),
  FLOOR_DIV: readFloorDiv,
  SQUARED_DIFFERENCE: readSquaredDifference,
  EQUAL: binary('Equal'),
  NOT_EQUAL: chained('Equal', 'Not'),
  GREATER: binary('Greater'),
  GREATER_EQUAL: orEqual('Greater'),
  LESS: binary('Less'),
  LESS_EQUAL: orEqual('Less'),
  LOGICAL_AND: binary('And'),
  LOGICAL_OR: binary('Or'),
  LOGICAL_NOT: unary('Not'),
  FLOOR_MOD: (op, builder) =>
    addLast(op, builder, 'Mod', [inputOf(op, 0), inputOf(op, 1)], { truncated: false }),
  ABS: unary('Abs'),
  SIGN: unary('Sign'),
  BITWISE_XOR: binary('BitwiseXor'),
  NEG: unary('Neg'),
  EXP: unary('Exp'),
  LOG: unary('Log'),
  SQRT: unary('Sqrt'),
  RSQRT: chained('Sqrt', 'Reciprocal'),
  SQUARE: readSquare,
  FLOOR: unary('Floor'),
  CEIL: unary('Ceil'),
  ROUND: unary('Round'),
  SIN: unary('Sin'),
  COS: unary('Cos'),
  CAST: (op, builder) => addLast(op, builder, 'Cast', [inputOf(op, 0)], { to: op.outputs[0].type.dtype }),
  SELECT: readSelect,
  SELECT_V2: readSelect,
};
