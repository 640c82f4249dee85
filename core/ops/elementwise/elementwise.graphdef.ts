/** TensorFlow's elementwise operators. */
import type { GraphBuilder } from '../../ir/builder.ts';
import { isFloat } from '../../ir/dtype.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import type { GraphDefFacet, GraphDefNodeView, GraphDefReader } from '../facets.ts';
import {
  innerOf,
  inputOf,
  plainReader,
  reshapeOf,
  resultOf,
  scalarConstant,
  unfused,
} from '../graphdef-helpers.ts';

/** An operator made of an inner one and a last one over its result. */
function chained(inner: string, last: string, count: number, attrs: Attrs = {}): GraphDefReader {
  return (node, builder) => {
    const inputs = Array.from({ length: count }, (_, i) => inputOf(node, i));
    return [resultOf(node, builder, last, [innerOf(node, builder, inner, inputs, attrs)])];
  };
}

/** Strict comparison or equality: not the opposite, which would be true for NaN. */
function orEqual(op: string): GraphDefReader {
  return (node, builder) => {
    const operands = [inputOf(node, 0), inputOf(node, 1)];
    const strict = innerOf(node, builder, op, operands);
    return [resultOf(node, builder, 'Or', [strict, innerOf(node, builder, 'Equal', operands)])];
  };
}

function number(node: GraphDefNodeView, builder: GraphBuilder, like: Value, value: number): Value {
  return scalarConstant(node, builder, `${value}`, like.type.dtype, value);
}

const readAddN: GraphDefReader = (node, builder) => {
  const [first, ...rest] = node.inputs.map((_, i) => inputOf(node, i));
  if (rest.length === 0) return [resultOf(node, builder, 'Identity', [first])];
  const last = rest.pop()!;
  const sum = rest.reduce((total, value) => innerOf(node, builder, 'Add', [total, value], unfused), first);
  return [resultOf(node, builder, 'Add', [sum, last], unfused)];
};

const readSquare: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  return [resultOf(node, builder, 'Mul', [x, x], unfused)];
};

const readSquaredDifference: GraphDefReader = (node, builder) => {
  const difference = innerOf(node, builder, 'Sub', [inputOf(node, 0), inputOf(node, 1)], unfused);
  return [resultOf(node, builder, 'Mul', [difference, difference], unfused)];
};

/** 0 where the divisor is 0. */
const readDivNoNan: GraphDefReader = (node, builder) => {
  const [x, divisor] = [inputOf(node, 0), inputOf(node, 1)];
  const zero = number(node, builder, x, 0);
  const isZero = innerOf(node, builder, 'Equal', [divisor, zero]);
  const safe = innerOf(node, builder, 'Where', [isZero, number(node, builder, x, 1), divisor]);
  const quotient = innerOf(node, builder, 'Div', [x, safe], unfused);
  return [resultOf(node, builder, 'Where', [isZero, zero, quotient])];
};

/** Integers are divided without a rest, where rounding down and rounding to zero are the same. */
const readFloorDiv: GraphDefReader = (node, builder) => {
  const [x, y] = [inputOf(node, 0), inputOf(node, 1)];
  if (isFloat(x.type.dtype)) return chained('Div', 'Floor', 2, unfused)(node, builder);
  const rest = innerOf(node, builder, 'Mod', [x, y], { truncated: false });
  const multiple = innerOf(node, builder, 'Sub', [x, rest], unfused);
  return [resultOf(node, builder, 'Div', [multiple, y], unfused)];
};

const readExpm1: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const power = innerOf(node, builder, 'Exp', [x]);
  return [resultOf(node, builder, 'Sub', [power, number(node, builder, x, 1)], unfused)];
};

const readLog1p: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const sum = innerOf(node, builder, 'Add', [x, number(node, builder, x, 1)], unfused);
  return [resultOf(node, builder, 'Log', [sum])];
};

const readErfc: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const erf = innerOf(node, builder, 'Erf', [x]);
  return [resultOf(node, builder, 'Sub', [number(node, builder, x, 1), erf], unfused)];
};

const readTan: GraphDefReader = (node, builder) => {
  const parts = ['Sin', 'Cos'].map((op) => innerOf(node, builder, op, [inputOf(node, 0)]));
  return [resultOf(node, builder, 'Div', parts, unfused)];
};

/** One bias per channel, which is not the last axis of NCHW. */
const readBiasAdd: GraphDefReader = (node, builder) => {
  const [x, bias] = [inputOf(node, 0), inputOf(node, 1)];
  const rank = x.type.shape.length;
  const isLast = node.string('data_format', 'NHWC') === 'NHWC' || rank < 3;
  const channels = bias.type.shape[0];
  const spread =
    isLast || typeof channels !== 'number'
      ? bias
      : reshapeOf(node, builder, bias, [channels, ...new Array<number>(rank - 2).fill(1)]);
  return [resultOf(node, builder, 'Add', [x, spread], unfused)];
};

const readClip: GraphDefReader = (node, builder) => {
  const [x, low, high] = [0, 1, 2].map((i) => inputOf(node, i));
  if ([low, high].every(({ type }) => type.shape.length === 0)) {
    return [resultOf(node, builder, 'Clip', [x, low, high])];
  }
  return [resultOf(node, builder, 'Min', [innerOf(node, builder, 'Max', [x, low]), high])];
};

/** The condition of Select may be a vector that picks whole rows. */
const readSelect: GraphDefReader = (node, builder) => {
  let condition = inputOf(node, 0);
  const [x, y] = [inputOf(node, 1), inputOf(node, 2)];
  const rank = x.type.shape.length;
  const [rows] = condition.type.shape;
  if (node.op === 'Select' && condition.type.shape.length === 1 && rank > 1) {
    if (typeof rows !== 'number') return node.refuse(`its condition has the open size ${rows}`);
    condition = reshapeOf(node, builder, condition, [rows, ...new Array<number>(rank - 1).fill(1)]);
  }
  return [resultOf(node, builder, 'Where', [condition, x, y])];
};

const readCast: GraphDefReader = (node, builder) => {
  // Only casts to narrower floats look at it, and rounding is what the IR's do.
  node.boolean('Truncate', false);
  return [resultOf(node, builder, 'Cast', [inputOf(node, 0)], { to: node.dtype('DstT', 'float32') })];
};

/** NaN is the one number that does not equal itself. */
const readIsNan: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  return [resultOf(node, builder, 'Not', [innerOf(node, builder, 'Equal', [x, x])])];
};

/** Nodes that hand their inputs on: what they check or stop belongs to training. */
const handOn: GraphDefReader = (node) => {
  node.string('message', '');
  return node.inputs;
};

const binary = (op: string) => plainReader(op, 2, unfused);

export const elementwiseGraphDef = {
  Add: binary('Add'),
  AddV2: binary('Add'),
  AddN: readAddN,
  BiasAdd: readBiasAdd,
  BiasAddV1: readBiasAdd,
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  RealDiv: binary('Div'),
  TruncateDiv: binary('Div'),
  DivNoNan: readDivNoNan,
  FloorDiv: readFloorDiv,
  FloorMod: plainReader('Mod', 2, { truncated: false }),
  Mod: plainReader('Mod', 2, { truncated: true }),
  TruncateMod: plainReader('Mod', 2, { truncated: true }),
  Maximum: plainReader('Max', 2),
  Minimum: plainReader('Min', 2),
  Pow: plainReader('Pow', 2),
  SquaredDifference: readSquaredDifference,
  Square: readSquare,
  Sqrt: plainReader('Sqrt', 1),
  Rsqrt: chained('Sqrt', 'Reciprocal', 1),
  Exp: plainReader('Exp', 1),
  Expm1: readExpm1,
  Log: plainReader('Log', 1),
  Log1p: readLog1p,
  Neg: plainReader('Neg', 1),
  Abs: plainReader('Abs', 1),
  Sign: plainReader('Sign', 1),
  Floor: plainReader('Floor', 1),
  Ceil: plainReader('Ceil', 1),
  Round: plainReader('Round', 1),
  Rint: plainReader('Round', 1),
  Sin: plainReader('Sin', 1),
  Cos: plainReader('Cos', 1),
  Tan: readTan,
  Erf: plainReader('Erf', 1),
  Erfc: readErfc,
  Reciprocal: plainReader('Reciprocal', 1),
  Inv: plainReader('Reciprocal', 1),
  Equal: plainReader('Equal', 2),
  NotEqual: chained('Equal', 'Not', 2),
  Greater: plainReader('Greater', 2),
  GreaterEqual: orEqual('Greater'),
  Less: plainReader('Less', 2),
  LessEqual: orEqual('Less'),
  LogicalAnd: plainReader('And', 2),
  LogicalOr: plainReader('Or', 2),
  LogicalNot: plainReader('Not', 1),
  IsNan: readIsNan,
  ClipByValue: readClip,
  Select: readSelect,
  SelectV2: readSelect,
  Cast: readCast,
  Identity: handOn,
  IdentityN: handOn,
  Snapshot: handOn,
  StopGradient: handOn,
  PreventGradient: handOn,
  CheckNumerics: handOn,
  PlaceholderWithDefault: handOn,
  ReadVariableOp: handOn,
} satisfies GraphDefFacet;
