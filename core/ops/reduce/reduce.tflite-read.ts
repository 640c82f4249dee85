import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { toNumbers } from '../../ir/tensor.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addInner,
  addLast,
  asInt64,
  constantNumbersOf,
  flagOption,
  inputOf,
  int64Constant,
  type TfliteReader,
} from '../tflite-read-helpers.ts';

/** The axes as a list; TFLite also takes a single number. */
function axesOf(op: TfliteOpView, builder: GraphBuilder): Value {
  const axes = inputOf(op, 1);
  if (!axes.constant || axes.type.shape.length === 1) return asInt64(op, builder, axes);
  return int64Constant(op, builder, 'axes', toNumbers(axes.constant));
}

function reduction(irOp: string): TfliteReader {
  return (op, builder) => {
    const axes = axesOf(op, builder);
    addLast(op, builder, irOp, [inputOf(op, 0), axes], { keepDims: flagOption(op, 'keep_dims') });
  };
}

/** The IR's index is int64; the file says which type it wants. */
function argExtremum(irOp: string): TfliteReader {
  return (op, builder) => {
    const attrs = { axis: constantNumbersOf(op, 1, 'axis')[0], keepDims: false };
    const { dtype } = op.outputs[0].type;
    if (dtype === 'int64') addLast(op, builder, irOp, [inputOf(op, 0)], attrs);
    else addLast(op, builder, 'Cast', [addInner(op, builder, irOp, [inputOf(op, 0)], attrs)], { to: dtype });
  };
}

/** Of booleans: the largest or smallest of them as numbers. */
function logical(irOp: string): TfliteReader {
  return (op, builder) => {
    const numbers = addInner(op, builder, 'Cast', [inputOf(op, 0)], { to: 'int32' });
    const attrs = { keepDims: flagOption(op, 'keep_dims') };
    const result = addInner(op, builder, irOp, [numbers, axesOf(op, builder)], attrs);
    addLast(op, builder, 'Cast', [result], { to: 'bool' });
  };
}

function readCumsum(op: TfliteOpView, builder: GraphBuilder): void {
  addLast(op, builder, 'CumSum', [inputOf(op, 0), inputOf(op, 1)], {
    exclusive: flagOption(op, 'exclusive'),
    reverse: flagOption(op, 'reverse'),
  });
}

/** The IR's indices are int64; the file says which type it wants. */
function readTopK(op: TfliteOpView, builder: GraphBuilder): void {
  const k = int64Constant(op, builder, 'k', constantNumbersOf(op, 1, 'count'));
  const attrs = { axis: -1, largest: true };
  const inner = builder.add('TopK', [inputOf(op, 0), k], attrs, {
    name: op.name,
    outputs: [op.outputs[0].name, builder.freeName(`${op.outputs[1].name}/int64`)],
  });
  const { name, type } = op.outputs[1];
  builder.add('Cast', [inner[1]], { to: type.dtype }, { name, outputs: [name] });
}

export const reduceTfliteReaders: Readonly<Record<string, TfliteReader>> = {
  MEAN: reduction('ReduceMean'),
  SUM: reduction('ReduceSum'),
  REDUCE_MAX: reduction('ReduceMax'),
  REDUCE_MIN: reduction('ReduceMin'),
  REDUCE_PROD: reduction('ReduceProd'),
  REDUCE_ANY: logical('ReduceMax'),
  REDUCE_ALL: logical('ReduceMin'),
  ARG_MAX: argExtremum('ArgMax'),
  ARG_MIN: argExtremum('ArgMin'),
  CUMSUM: readCumsum,
  TOPK_V2: readTopK,
};
