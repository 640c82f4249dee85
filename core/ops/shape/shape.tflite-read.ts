import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { TfliteOpView } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import { numberTensor } from '../tflite-helpers.ts';
import {
  addActivated,
  addInner,
  addLast,
  asInt64,
  constantNumbersOf,
  inputOf,
  int64Constant,
  numberOption,
  staticShapeOf,
  type TfliteReader,
} from '../tflite-read-helpers.ts';
import { blockTfliteReaders } from './blocks.tflite-read.ts';
import { sliceTfliteReaders } from './slices.tflite-read.ts';

function readReshape(op: TfliteOpView, builder: GraphBuilder): void {
  const given = op.inputs[1];
  const listed = op.options.new_shape as readonly number[] | undefined;
  const shape = given
    ? asInt64(op, builder, given)
    : int64Constant(op, builder, 'shape', listed ?? (op.outputs[0].type.shape as number[]));
  addLast(op, builder, 'Reshape', [inputOf(op, 0), shape], { allowZero: false });
}

function readSqueeze(op: TfliteOpView, builder: GraphBuilder): void {
  const axes = (op.options.squeeze_dims as readonly number[] | undefined) ?? [];
  addLast(op, builder, 'Squeeze', [
    inputOf(op, 0),
    axes.length > 0 ? int64Constant(op, builder, 'axes', axes) : null,
  ]);
}

function readExpandDims(op: TfliteOpView, builder: GraphBuilder): void {
  const axes = int64Constant(op, builder, 'axes', constantNumbersOf(op, 1, 'axis'));
  addLast(op, builder, 'Unsqueeze', [inputOf(op, 0), axes]);
}

function readTranspose(op: TfliteOpView, builder: GraphBuilder): void {
  addLast(op, builder, 'Transpose', [inputOf(op, 0)], { perm: constantNumbersOf(op, 1, 'axes') });
}

function readConcatenation(op: TfliteOpView, builder: GraphBuilder): void {
  const inputs = op.inputs.map((_, i) => inputOf(op, i));
  addActivated(op, builder, 'Concat', inputs, { axis: numberOption(op, 'axis') });
}

/** Stacks along a new axis. */
function readPack(op: TfliteOpView, builder: GraphBuilder): void {
  const axis = numberOption(op, 'axis');
  const rank = inputOf(op, 0).type.shape.length + 1;
  const axes = int64Constant(op, builder, 'axes', [axis < 0 ? axis + rank : axis]);
  const parts = op.inputs.map((_, i) => addInner(op, builder, 'Unsqueeze', [inputOf(op, i), axes]));
  addLast(op, builder, 'Concat', parts, { axis });
}

function addSplit(
  op: TfliteOpView,
  builder: GraphBuilder,
  x: Value,
  sizes: readonly number[],
  axis: number,
): void {
  const outputs = op.outputs.map(({ name }) => name);
  builder.add('Split', [x, int64Constant(op, builder, 'split', sizes)], { axis }, { name: op.name, outputs });
}

function readSplit(op: TfliteOpView, builder: GraphBuilder): void {
  const isEven = op.builtin === 'SPLIT';
  const x = inputOf(op, isEven ? 1 : 0);
  const shape = staticShapeOf(op, x);
  const [given] = constantNumbersOf(op, isEven ? 0 : 2, 'axis');
  const axis = given < 0 ? given + shape.length : given;
  const parts = op.outputs.length;
  let sizes = new Array<number>(parts).fill(shape[axis] / parts);
  if (!isEven) {
    const listed = constantNumbersOf(op, 1, 'sizes');
    const known = listed.reduce((sum, size) => sum + Math.max(size, 0), 0);
    sizes = listed.map((size) => (size < 0 ? shape[axis] - known : size));
  }
  addSplit(op, builder, x, sizes, axis);
}

/** Cuts an axis into slices of 1 and drops it. */
function readUnpack(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const given = numberOption(op, 'axis');
  const axis = given < 0 ? given + x.type.shape.length : given;
  const sizes = int64Constant(op, builder, 'split', new Array<number>(op.outputs.length).fill(1));
  const parts = builder.add('Split', [x, sizes], { axis }, { name: `${op.name}/split` });
  const axes = int64Constant(op, builder, 'axes', [axis]);
  op.outputs.forEach(({ name }, i) => {
    builder.add('Squeeze', [parts[i], axes], {}, { name, outputs: [name] });
  });
}

function readPad(op: TfliteOpView, builder: GraphBuilder): void {
  const rows = constantNumbersOf(op, 1, 'paddings');
  const begins = rows.filter((_, i) => i % 2 === 0);
  const ends = rows.filter((_, i) => i % 2 === 1);
  let mode = 'constant';
  if (op.builtin === 'MIRROR_PAD') {
    mode = numberOption(op, 'mode') === 0 ? 'reflect' : 'edge';
    // SYMMETRIC repeats the edge; only one element of it is the same as the edge alone.
    if (mode === 'edge' && rows.some((pad) => pad > 1))
      op.refuse('it pads symmetrically by more than one element');
  }
  const value = op.builtin === 'PADV2' ? inputOf(op, 2) : null;
  addLast(
    op,
    builder,
    'Pad',
    [inputOf(op, 0), int64Constant(op, builder, 'pads', [...begins, ...ends]), value],
    {
      mode,
    },
  );
}

/** Per batch, each index becomes one of GatherND, which picks along the first axis after the batch. */
function readGather(op: TfliteOpView, builder: GraphBuilder): void {
  const [x, picked] = [inputOf(op, 0), inputOf(op, 1)];
  const axis = frontAxis(numberOption(op, 'axis'), x.type.shape.length);
  const batchDims = frontAxis(numberOption(op, 'batch_dims'), picked.type.shape.length);
  if (batchDims === 0) {
    addLast(op, builder, 'Gather', [x, picked], { axis });
    return;
  }
  if (axis !== batchDims) op.refuse(`it gathers along axis ${axis} in ${batchDims} batch axes`);
  if (x.quant) op.refuse('it gathers integers per batch (batch_dims)');
  const last = int64Constant(op, builder, 'last', [picked.type.shape.length]);
  const indices = addInner(op, builder, 'Unsqueeze', [asInt64(op, builder, picked), last]);
  addLast(op, builder, 'GatherND', [x, indices], { batchDims });
}

/** Rows of a table; the file has the indices first. */
function readEmbeddingLookup(op: TfliteOpView, builder: GraphBuilder): void {
  addLast(op, builder, 'Gather', [inputOf(op, 1), inputOf(op, 0)], { axis: 0 });
}

function addNumbers(op: TfliteOpView, builder: GraphBuilder, shape: number[], values: number[]): void {
  builder.constant(op.outputs[0].name, numberTensor(op.outputs[0].type.dtype, shape, values));
}

function readRank(op: TfliteOpView, builder: GraphBuilder): void {
  addNumbers(op, builder, [], [inputOf(op, 0).type.shape.length]);
}

function readBroadcastArgs(op: TfliteOpView, builder: GraphBuilder): void {
  const shapes = [0, 1].map((i) => constantNumbersOf(op, i, 'shapes').reverse());
  const rank = Math.max(...shapes.map(({ length }) => length));
  const joined = Array.from({ length: rank }, (_, i) => {
    const dims = shapes.map((shape) => shape[i] ?? 1);
    if (dims[0] !== dims[1] && !dims.includes(1)) op.refuse(`${dims[0]} and ${dims[1]} do not broadcast`);
    return dims[0] === 1 ? dims[1] : dims[0];
  });
  addNumbers(op, builder, [rank], joined.reverse());
}

function readZerosLike(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const zero = builder.constant(`${op.name}/zero`, numberTensor(x.type.dtype, [], [0]));
  const shape = int64Constant(op, builder, 'shape', staticShapeOf(op, x));
  addLast(op, builder, 'Expand', [zero, shape]);
}

/** The "on" and "off" of the file are one tensor in the IR. */
function readOneHot(op: TfliteOpView, builder: GraphBuilder): void {
  const [on] = constantNumbersOf(op, 2, 'values');
  const [off] = constantNumbersOf(op, 3, 'values');
  const { dtype } = inputOf(op, 2).type;
  const values = builder.constant(`${op.name}/values`, numberTensor(dtype, [2], [off, on]));
  const inputs = [inputOf(op, 0), asInt64(op, builder, inputOf(op, 1)), values];
  addLast(op, builder, 'OneHot', inputs, { axis: numberOption(op, 'axis') });
}

/** Repeated indices add up in the file's kernel. */
function readScatterNd(op: TfliteOpView, builder: GraphBuilder): void {
  const updates = inputOf(op, 1);
  const zero = builder.constant(`${op.name}/zero`, numberTensor(updates.type.dtype, [], [0]));
  const zeros = addInner(op, builder, 'Expand', [zero, asInt64(op, builder, inputOf(op, 2))]);
  const indices = asInt64(op, builder, inputOf(op, 0));
  addLast(op, builder, 'ScatterND', [zeros, indices, updates], { reduction: 'add' });
}

function withVector(irOp: string): TfliteReader {
  return (op, builder) => addLast(op, builder, irOp, [inputOf(op, 0), asInt64(op, builder, inputOf(op, 1))]);
}

/** A shape that is known is a constant, so that what is computed from it is known too. */
function readShape(op: TfliteOpView, builder: GraphBuilder): void {
  const { shape } = inputOf(op, 0).type;
  const { dtype } = op.outputs[0].type;
  const known = shape.filter((dim) => typeof dim === 'number');
  if (known.length === shape.length) {
    builder.constant(op.outputs[0].name, numberTensor(dtype, [shape.length], known));
  } else if (dtype === 'int64') addLast(op, builder, 'Shape', [inputOf(op, 0)], { start: 0 });
  else
    addLast(op, builder, 'Cast', [addInner(op, builder, 'Shape', [inputOf(op, 0)], { start: 0 })], {
      to: dtype,
    });
}

function readFill(op: TfliteOpView, builder: GraphBuilder): void {
  addLast(op, builder, 'Expand', [inputOf(op, 1), asInt64(op, builder, inputOf(op, 0))]);
}

export const shapeTfliteReaders: Readonly<Record<string, TfliteReader>> = {
  RESHAPE: readReshape,
  SQUEEZE: readSqueeze,
  EXPAND_DIMS: readExpandDims,
  TRANSPOSE: readTranspose,
  CONCATENATION: readConcatenation,
  PACK: readPack,
  SPLIT: readSplit,
  SPLIT_V: readSplit,
  UNPACK: readUnpack,
  ...sliceTfliteReaders,
  ...blockTfliteReaders,
  PAD: readPad,
  PADV2: readPad,
  MIRROR_PAD: readPad,
  GATHER: readGather,
  EMBEDDING_LOOKUP: readEmbeddingLookup,
  GATHER_ND: (op, builder) =>
    addLast(op, builder, 'GatherND', [inputOf(op, 0), asInt64(op, builder, inputOf(op, 1))], {
      batchDims: 0,
    }),
  ONE_HOT: readOneHot,
  SCATTER_ND: readScatterNd,
  BROADCAST_TO: withVector('Expand'),
  TILE: withVector('Tile'),
  SHAPE: readShape,
  RANK: readRank,
  BROADCAST_ARGS: readBroadcastArgs,
  ZEROS_LIKE: readZerosLike,
  FILL: readFill,
  RANGE: (op, builder) =>
    addLast(
      op,
      builder,
      'Range',
      [0, 1, 2].map((i) => inputOf(op, i)),
    ),
};
