/** ONNX elementwise operators. */
import { isFloat } from '../../ir/dtype.ts';
import type { Value, ValueId } from '../../ir/graph.ts';
import { elementCount, tensorOf, toNumbers } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxReader } from '../facets.ts';
import {
  inner,
  input,
  int,
  named,
  type OnnxWriter,
  plainReader,
  plainWriter,
  scalar,
  scalarLike,
  since,
  writeActivated,
} from '../onnx-helpers.ts';
import { perOp } from '../per-op.ts';

const unfused = { activation: 'none' } as const;

const dataTypeIds: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

function readBinary(op: string): OnnxReader {
  return (node, builder) => {
    builder.add(op, [input(node, 0), input(node, 1)], { ...unfused }, named(node));
  };
}

/** Any number of inputs, joined two by two. */
function readVariadic(op: string, attrs: Readonly<Record<string, string>> = {}): OnnxReader {
  return (node, builder) => {
    const [first, ...rest] = node.inputs.map((_, i) => input(node, i));
    if (rest.length === 0) {
      builder.add('Identity', [first], {}, named(node));
      return;
    }
    rest.reduce<Value>((sum, value, i) => {
      const last = i === rest.length - 1;
      return builder.one(op, [sum, value], { ...attrs }, last ? named(node) : inner(node, `part${i}`));
    }, first);
  };
}

const readMean: OnnxReader = (node, builder) => {
  const values = node.inputs.map((_, i) => input(node, i));
  const sum = values.reduce((total, value, i) =>
    builder.one('Add', [total, value], { ...unfused }, inner(node, `sum${i}`)),
  );
  const count = scalar(builder, node, 'count', sum.type.dtype, values.length);
  builder.add('Div', [sum, count], { ...unfused }, named(node));
};

/** Greater or equal is not "not less": NaN is neither. */
function readOrEqual(op: string): OnnxReader {
  return (node, builder) => {
    const operands = [input(node, 0), input(node, 1)];
    const strict = builder.one(op, operands, {}, inner(node, 'strict'));
    const equal = builder.one('Equal', operands, {}, inner(node, 'equal'));
    builder.add('Or', [strict, equal], {}, named(node));
  };
}

/** Of two truth values: different. */
const readXor: OnnxReader = (node, builder) => {
  const equal = builder.one('Equal', [input(node, 0), input(node, 1)], {}, inner(node, 'equal'));
  builder.add('Not', [equal], {}, named(node));
};

const readCast: OnnxReader = (node, builder) => {
  // Only casts to 8-bit floats, which are refused, depend on these.
  node.int('saturate', 1);
  node.string('round_mode', 'up');
  const id = node.int('to', 0);
  const to = dataTypeIds[id] ?? node.refuse(`it casts to element type ${id}`);
  builder.add('Cast', [input(node, 0)], { to }, named(node));
};

const readCastLike: OnnxReader = (node, builder) => {
  node.int('saturate', 1);
  node.string('round_mode', 'up');
  builder.add('Cast', [input(node, 0)], { to: input(node, 1).type.dtype }, named(node));
};

/**
 * Dropout does nothing when a model is used, and its mask keeps everything. A model that asks for training behaviour is
 * refused, unless it drops nothing.
 */
const readDropout: OnnxReader = (node, builder) => {
  const rate = node.inputs[1];
  const ratio = node.float('ratio', rate?.constant ? toNumbers(rate.constant)[0] : 0.5);
  node.int('seed', 0);
  const training = node.inputs[2];
  const drops = !(ratio === 0 && (!rate || rate.constant));
  if (training && drops && (!training.constant || toNumbers(training.constant)[0])) {
    node.refuse('its training_mode is not known to be off');
  }
  const x = input(node, 0);
  builder.add('Identity', [x], {}, { name: node.name, outputs: node.outputs.slice(0, 1) });
  const isKnown = x.type.shape.every((dim) => typeof dim === 'number');
  // Before opset 10 the mask is of the type of x.
  if (node.outputs.length < 2 || !isKnown || node.opset < 10) return;
  const shape = x.type.shape as number[];
  builder.constant(node.outputs[1], tensorOf('bool', shape, new Uint8Array(elementCount(shape)).fill(1)));
};

const readMod: OnnxReader = (node, builder) => {
  const attrs = { truncated: node.int('fmod', 0) !== 0 };
  builder.add('Mod', [input(node, 0), input(node, 1)], attrs, named(node));
};

/** NaN is the one number that does not equal itself. */
const readIsNaN: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const same = builder.one('Equal', [x, x], {}, inner(node, 'same'));
  builder.add('Not', [same], {}, named(node));
};

const readIsInf: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const [positive, negative] = [node.int('detect_positive', 1) !== 0, node.int('detect_negative', 1) !== 0];
  if (!positive && !negative) node.refuse('it detects neither sign');
  const sign = positive ? 1 : -1;
  const infinite = scalar(builder, node, 'infinite', x.type.dtype, sign * Number.POSITIVE_INFINITY);
  const size = positive && negative ? builder.one('Abs', [x], {}, inner(node, 'size')) : x;
  builder.add('Equal', [size, infinite], {}, named(node));
};

const readBitShift: OnnxReader = (node, builder) => {
  const direction = node.string('direction', '');
  if (direction !== 'LEFT' && direction !== 'RIGHT') node.refuse(`direction = ${direction} is not known`);
  builder.add('BitShift', [input(node, 0), input(node, 1)], { direction }, named(node));
};

function writeBinary(opType: string): OnnxWriter {
  return (node, context) =>
    writeActivated(node, context, (output) => context.node(opType, node.inputs, [output]));
}

/** ONNX has the divisor's sign for integers only; of floats a remainder of the other sign is moved by the divisor. */
const writeMod: OnnxWriter = (node, context) => {
  const truncated = node.attrs.truncated === true;
  const [x, y] = node.inputs as ValueId[];
  const [output] = node.outputs;
  const { dtype } = context.value(x).type;
  if (truncated || !isFloat(dtype)) {
    context.node('Mod', [x, y], [output], { fmod: int(truncated) });
    return;
  }
  const [rest, product, differs, moved] = ['rest', 'product', 'differs', 'moved'].map((what) =>
    context.fresh(`${output}/${what}`),
  );
  context.node('Mod', [x, y], [rest], { fmod: int(true) });
  context.node('Mul', [rest, y], [product]);
  context.node('Less', [product, scalarLike(context, x, `${output}/zero`, 0)], [differs]);
  context.node('Add', [rest, y], [moved]);
  context.node('Where', [differs, moved, rest], [output]);
};

/** onnxruntime has no choice between these: they are made in int32, which holds them all. */
const narrowChoices = new Set(['int8', 'int16', 'uint16']);

const writeWhere: OnnxWriter = (node, context) => {
  const [condition, x, y] = node.inputs;
  const [output] = node.outputs;
  const { dtype } = context.value(output).type;
  if (!narrowChoices.has(dtype)) {
    context.node('Where', node.inputs, node.outputs);
    return;
  }
  const cast = (from: string, to: string, name: string) => {
    const id = Number(Object.keys(dataTypeIds).find((key) => dataTypeIds[Number(key)] === to));
    context.node('Cast', [from], [name], { to: int(id) });
    return name;
  };
  const wide = [x!, y!].map((id) => cast(id, 'int32', context.fresh(`${id}/int32`)));
  const chosen = context.fresh(`${output}/int32`);
  context.node('Where', [condition, ...wide], [chosen]);
  cast(chosen, dtype, output);
};

const writeCast: OnnxWriter = (node, context) => {
  const id = Object.keys(dataTypeIds).find((key) => dataTypeIds[Number(key)] === node.attrs.to);
  if (!id) context.refuse(`it casts to ${String(node.attrs.to)}, which ONNX does not have`);
  context.node('Cast', node.inputs, node.outputs, { to: int(Number(id)) });
};

const binaries = ['Add', 'Sub', 'Mul', 'Div'] as const;
const plain = [
  'Pow',
  'Equal',
  'Greater',
  'Less',
  'And',
  'Or',
  'Abs',
  'Sign',
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Reciprocal',
  'Floor',
  'Ceil',
  'Round',
  'Sin',
  'Cos',
  'Asin',
  'Acos',
  'Atan',
  'Asinh',
  'Acosh',
  'Atanh',
  'BitwiseAnd',
  'BitwiseOr',
  'BitwiseXor',
  'BitwiseNot',
  'Erf',
  'Not',
  'Identity',
] as const;

export const elementwiseOnnx = {
  read: {
    ...perOp(binaries, (op) => since(7, readBinary(op))),
    ...perOp(plain, (op) => since(1, plainReader(op))),
    Max: since(6, readVariadic('Max')),
    Min: since(6, readVariadic('Min')),
    Sum: since(6, readVariadic('Add', unfused)),
    Mean: since(6, readMean),
    GreaterOrEqual: since(12, readOrEqual('Greater')),
    LessOrEqual: since(12, readOrEqual('Less')),
    Mod: since(10, readMod),
    BitShift: since(11, readBitShift),
    IsNaN: since(9, readIsNaN),
    IsInf: since(10, readIsInf),
    Xor: since(7, readXor),
    Where: since(9, plainReader('Where')),
    Cast: since(6, readCast),
    CastLike: since(15, readCastLike),
    Dropout: since(7, readDropout),
  },
  write: {
    ...perOp(binaries, (op) => writeBinary(op)),
    ...perOp([...plain, 'Max', 'Min'], (op) => plainWriter(op)),
    Mod: writeMod,
    BitShift: (node, context) =>
      context.node('BitShift', node.inputs, node.outputs, {
        direction: { string: node.attrs.direction as string },
      }),
    Where: writeWhere,
    Cast: writeCast,
  },
} satisfies OnnxFacet;
