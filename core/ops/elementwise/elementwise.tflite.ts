import { isFloat } from '../../ir/dtype.ts';
import type { Node, Value } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import {
  activationCodes,
  attrsOf,
  innerLike,
  inputTensor,
  inputValue,
  numberTensor,
  outputTensor,
  outputValue,
  outputWithQuantOf,
  requantized,
  reshape,
  shapeOf,
  type TfliteWriter,
  writeMove,
} from '../tflite-helpers.ts';
import { tensorTypeCode } from '../tflite-types.ts';
import type { FusedActivation } from '../vocabulary.ts';
import { bitTfliteWriters } from './bits.tflite.ts';
import { elementwiseTfliteReaders } from './elementwise.tflite-read.ts';
import { functionTfliteWriters } from './functions.tflite.ts';

/** The rank up to which LiteRT's kernels broadcast. */
const broadcastRank = 6;

function checkBroadcast(node: Node, context: TfliteWriteContext): void {
  const shapes = node.inputs.map((_, i) => inputValue(node, context, i).type.shape);
  const rank = Math.max(...shapes.map((shape) => shape.length));
  if (rank > broadcastRank && shapes.some((shape) => shape.join() !== shapes[0].join())) {
    const texts = shapes.map((shape) => `[${shape.join(', ')}]`);
    context.refuse(`TFLite broadcasts up to rank ${broadcastRank}; the shapes are ${texts.join(' and ')}`);
  }
}

/** An operator with two inputs and, where it has a table of options, a fused activation. */
function binary(builtin: string, table?: string): TfliteWriter {
  return (node, context) => {
    checkBroadcast(node, context);
    const fields: Record<string, unknown> = {
      fused_activation_function: activationCodes[(node.attrs.activation as FusedActivation) ?? 'none'],
    };
    // The file's default would make 16-bit kernels take scales for powers of two.
    const isInt16 = inputValue(node, context, 0).type.dtype === 'int16';
    if (isInt16 && (builtin === 'ADD' || builtin === 'SUB')) fields.pot_scale_int16 = false;
    context.op(
      builtin,
      [inputTensor(node, context, 0), inputTensor(node, context, 1)],
      [outputTensor(node, context)],
      table ? { table, fields } : undefined,
    );
  };
}

/** MAXIMUM and MINIMUM compare stored numbers, so all three tensors have the parameters of the first. */
function extremum(builtin: string): TfliteWriter {
  return (node, context) => {
    checkBroadcast(node, context);
    const [a, b] = [inputValue(node, context, 0), inputValue(node, context, 1)];
    const { ref, finish } = outputWithQuantOf(a, node, context);
    context.op(builtin, [context.tensor(a.id), requantized(b, a.quant, node, context)], [ref]);
    finish();
  };
}

function comparison(builtin: string): TfliteWriter {
  return (node, context) => {
    checkBroadcast(node, context);
    const [a, b] = [inputValue(node, context, 0), inputValue(node, context, 1)];
    context.op(
      builtin,
      [context.tensor(a.id), requantized(b, a.quant, node, context)],
      [outputTensor(node, context)],
    );
  };
}

function unary(builtin: string): TfliteWriter {
  return (node, context) =>
    context.op(builtin, [inputTensor(node, context, 0)], [outputTensor(node, context)]);
}

/** For kernels that take float32 only. */
function floatUnary(builtin: string): TfliteWriter {
  return (node, context) => {
    const { dtype } = inputValue(node, context, 0).type;
    if (!isFloat(dtype))
      context.refuse(`${builtin} takes float32, not ${dtype}`, 'Keep this operator in float.');
    unary(builtin)(node, context);
  };
}

function writeReciprocal(node: Node, context: TfliteWriteContext): void {
  const { dtype } = inputValue(node, context, 0).type;
  if (!isFloat(dtype)) context.refuse(`TFLite divides no ${dtype}`, 'Keep this operator in float.');
  const one = context.constant('one', numberTensor(dtype, [], [1]));
  context.op('DIV', [one, inputTensor(node, context, 0)], [outputTensor(node, context)], {
    table: 'DivOptions',
    fields: {},
  });
}

/** The kernel wants one type for both, float32 or int32; an exponent is cast to a float base. */
function writePow(node: Node, context: TfliteWriteContext): void {
  checkBroadcast(node, context);
  const [base, exponent] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const { dtype } = base.type;
  const isSame = exponent.type.dtype === dtype;
  if (dtype !== 'float32' && !(dtype === 'int32' && isSame))
    context.refuse(`LiteRT has no power of ${dtype} by ${exponent.type.dtype} that keeps every digit`);
  let power = context.tensor(exponent.id);
  if (!isSame) {
    const cast = innerLike(context, `${node.id}/exponent`, { type: { dtype, shape: exponent.type.shape } });
    context.op('CAST', [power], [cast], {
      table: 'CastOptions',
      fields: {
        in_data_type: tensorTypeCode(exponent.type.dtype),
        out_data_type: tensorTypeCode(dtype),
      },
    });
    power = cast;
  }
  context.op('POW', [context.tensor(base.id), power], [outputTensor(node, context)]);
}

/** FLOOR_MOD has the sign of the divisor; C's fmod is the sign of x times the remainder of the sizes. */
function writeMod(node: Node, context: TfliteWriteContext): void {
  checkBroadcast(node, context);
  const [x, divisor] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const y = outputValue(node, context);
  if (x.quant || y.quant) context.refuse('TFLite has no integer form of it', 'Keep this operator in float.');
  if (!attrsOf(node, 'Mod').truncated) {
    context.op('FLOOR_MOD', [context.tensor(x.id), context.tensor(divisor.id)], [context.tensor(y.id)]);
    return;
  }
  const inner = (name: string, like: Value) => innerLike(context, `${node.id}/${name}`, like);
  const [size, divisorSize, sign, rest] = [
    inner('size', x),
    inner('divisor_size', divisor),
    inner('sign', x),
    inner('rest', y),
  ];
  if (!isFloat(x.type.dtype)) {
    truncatedIntegers(node, context);
    return;
  }
  context.op('ABS', [context.tensor(x.id)], [size]);
  context.op('ABS', [context.tensor(divisor.id)], [divisorSize]);
  context.op('SIGN', [context.tensor(x.id)], [sign]);
  context.op('FLOOR_MOD', [size, divisorSize], [rest]);
  context.op('MUL', [rest, sign], [context.tensor(y.id)], { table: 'MulOptions', fields: {} });
}

/** Of integers: FLOOR_MOD, and where it is not zero and its sign is not that of x, the divisor less. */
function truncatedIntegers(node: Node, context: TfliteWriteContext): void {
  const [x, divisor] = [inputValue(node, context, 0), inputValue(node, context, 1)];
  const y = outputValue(node, context);
  const { dtype } = y.type;
  const own = (name: string, type: Value['type']['dtype'] = dtype) =>
    context.inner(`${node.id}/${name}`, { dtype: type, shape: y.type.shape });
  const zero = context.constant(`${node.id}/zero`, numberTensor(dtype, [], [0]));
  const [rest, lowered, isRest, below, isBelow, other, wrong] = [
    own('rest'),
    own('lowered'),
    own('is_rest', 'bool'),
    context.inner(`${node.id}/below`, { dtype: 'bool', shape: x.type.shape }),
    own('is_below', 'bool'),
    own('other_sign', 'bool'),
    own('wrong', 'bool'),
  ];
  context.op('FLOOR_MOD', [context.tensor(x.id), context.tensor(divisor.id)], [rest]);
  context.op('NOT_EQUAL', [rest, zero], [isRest]);
  context.op('LESS', [context.tensor(x.id), zero], [below]);
  context.op('LESS', [rest, zero], [isBelow]);
  context.op('NOT_EQUAL', [below, isBelow], [other]);
  context.op('LOGICAL_AND', [isRest, other], [wrong]);
  context.op('SUB', [rest, context.tensor(divisor.id)], [lowered], { table: 'SubOptions', fields: {} });
  context.op('SELECT_V2', [wrong, lowered, rest], [context.tensor(y.id)]);
}

/** TFLite has no copy; a reshape to the same shape is one. */
function writeIdentity(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(outputValue(node, context), context);
  writeMove(node, context, (x, y) => reshape(context, x, y, node.id, shape));
}

function writeCast(node: Node, context: TfliteWriteContext): void {
  const [x, y] = [inputValue(node, context, 0), outputValue(node, context)];
  if (x.quant || y.quant) context.refuse('it changes the type of a quantized tensor');
  context.op('CAST', [context.tensor(x.id)], [context.tensor(y.id)], {
    table: 'CastOptions',
    fields: {
      in_data_type: tensorTypeCode(x.type.dtype),
      out_data_type: tensorTypeCode(y.type.dtype),
    },
  });
}

function writeWhere(node: Node, context: TfliteWriteContext): void {
  checkBroadcast(node, context);
  const [x, y] = [inputValue(node, context, 1), inputValue(node, context, 2)];
  const { ref, finish } = outputWithQuantOf(x, node, context);
  const inputs = [
    inputTensor(node, context, 0),
    context.tensor(x.id),
    requantized(y, x.quant, node, context),
  ];
  context.op('SELECT_V2', inputs, [ref]);
  finish();
}

export const elementwiseTflite = {
  write: {
    Add: binary('ADD', 'AddOptions'),
    Sub: binary('SUB', 'SubOptions'),
    Mul: binary('MUL', 'MulOptions'),
    Div: binary('DIV', 'DivOptions'),
    Max: extremum('MAXIMUM'),
    Min: extremum('MINIMUM'),
    Pow: writePow,
    Equal: comparison('EQUAL'),
    Greater: comparison('GREATER'),
    Less: comparison('LESS'),
    And: binary('LOGICAL_AND'),
    Or: binary('LOGICAL_OR'),
    Mod: writeMod,
    Abs: unary('ABS'),
    Sign: unary('SIGN'),
    Neg: unary('NEG'),
    Exp: unary('EXP'),
    Log: floatUnary('LOG'),
    Sqrt: floatUnary('SQRT'),
    Reciprocal: writeReciprocal,
    Floor: floatUnary('FLOOR'),
    Ceil: floatUnary('CEIL'),
    Round: floatUnary('ROUND'),
    Sin: floatUnary('SIN'),
    Cos: floatUnary('COS'),
    ...functionTfliteWriters,
    ...bitTfliteWriters,
    Not: unary('LOGICAL_NOT'),
    Identity: writeIdentity,
    Cast: writeCast,
    Where: writeWhere,
  },
  read: elementwiseTfliteReaders,
} satisfies TfliteFacet;
