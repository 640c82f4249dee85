import {
  addInner,
  addLast,
  asInt64,
  constantNumbersOf,
  flagOption,
  inputOf,
  type TfliteReader,
} from '../tflite-read-helpers.ts';

function reduction(irOp: string): TfliteReader {
  return (op, builder) => {
    const axes = asInt64(op, builder, inputOf(op, 1));
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

export const reduceTfliteReaders: Readonly<Record<string, TfliteReader>> = {
  MEAN: reduction('ReduceMean'),
  SUM: reduction('ReduceSum'),
  REDUCE_MAX: reduction('ReduceMax'),
  REDUCE_MIN: reduction('ReduceMin'),
  REDUCE_PROD: reduction('ReduceProd'),
  ARG_MAX: argExtremum('ArgMax'),
  ARG_MIN: argExtremum('ArgMin'),
};
