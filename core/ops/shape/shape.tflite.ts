import type { Node, Value } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { TfliteFacet, TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputTensor,
  inputValue,
  int32Scalar,
  int32Vector,
  numberTensor,
  outputTensor,
  outputValue,
  outputWithQuantOf,
  requantized,
  reshape,
  shapeOf,
  writeMove,
} from '../tflite-helpers.ts';
import { tensorTypeCode } from '../tflite-types.ts';
import { gather } from './gather-by-axis.ts';
import { indexingTfliteWriters } from './indexing.tflite.ts';
import { writePad } from './pad.tflite.ts';
import { shapeTfliteReaders } from './shape.tflite-read.ts';
import { resolveSlice, sliceLength } from './slice-ranges.ts';

/** Reshape, Squeeze and Unsqueeze: the shape that the result has is known. */
function writeReshape(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(outputValue(node, context), context);
  writeMove(node, context, (x, y) => reshape(context, x, y, node.id, shape));
}

function writeTranspose(node: Node, context: TfliteWriteContext): void {
  const { perm } = attrsOf(node, 'Transpose');
  const shape = shapeOf(inputValue(node, context, 0), context);
  const moved = perm.filter((axis) => shape[axis] !== 1);
  if (moved.every((axis, i) => i === 0 || axis > moved[i - 1])) {
    // Only axes of length 1 change places.
    writeReshape(node, context);
    return;
  }
  if (shape.length > 6) context.refuse(`TRANSPOSE takes up to rank 6, not ${shape.length}`);
  const order = int32Vector(context, `${node.id}/perm`, perm);
  writeMove(node, context, (x, y) => context.op('TRANSPOSE', [x, order], [y]));
}

/** The kernel copies stored numbers, so that every part must have the parameters of the result. */
function writeConcat(node: Node, context: TfliteWriteContext): void {
  const y = outputValue(node, context);
  const parts = node.inputs.map((_, i) => inputValue(node, context, i));
  if (parts.length === 1) {
    writeReshape(node, context);
    return;
  }
  context.op(
    'CONCATENATION',
    parts.map((part) => requantized(part, y.quant, node, context)),
    [outputTensor(node, context)],
    {
      table: 'ConcatenationOptions',
      fields: { axis: frontAxis(attrsOf(node, 'Concat').axis, y.type.shape.length) },
    },
  );
}

function writeSplit(node: Node, context: TfliteWriteContext): void {
  const x = inputValue(node, context, 0);
  const axis = frontAxis(attrsOf(node, 'Split').axis, x.type.shape.length);
  const parts = node.outputs.map((id) => context.value(id));
  const sizes = parts.map((part) => shapeOf(part, context)[axis]);
  const axisTensor = int32Scalar(context, `${node.id}/axis`, axis);
  const targets = parts.map((part) => splitTarget(part, x, context));
  const outputs = targets.map(({ ref }) => ref);
  if (sizes.every((size) => size === sizes[0])) {
    const options = { table: 'SplitOptions', fields: { num_splits: sizes.length } };
    context.op('SPLIT', [axisTensor, context.tensor(x.id)], outputs, options);
  } else {
    const options = { table: 'SplitVOptions', fields: { num_splits: sizes.length } };
    const sizeTensor = int32Vector(context, `${node.id}/sizes`, sizes);
    context.op('SPLIT_V', [context.tensor(x.id), sizeTensor, axisTensor], outputs, options);
  }
  for (const { finish } of targets) finish();
}

function splitTarget(part: Value, x: Value, context: TfliteWriteContext) {
  return outputWithQuantOf(
    x,
    { id: part.id, op: 'Split', inputs: [], outputs: [part.id], attrs: {} },
    context,
  );
}

/** Ranges of a Slice, one per axis of x, resolved to begin, end and step. */
function sliceRanges(node: Node, context: TfliteWriteContext, shape: readonly number[]) {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constantInput(node, context, i));
  const ranges = shape.map((size) => ({ start: 0, end: size, step: 1 }));
  starts!.forEach((start, i) => {
    const axis = frontAxis(axes ? axes[i] : i, shape.length);
    ranges[axis] = resolveSlice({ start, end: ends![i], step: steps ? steps[i] : 1 }, shape[axis]);
  });
  return ranges;
}

function writeSlice(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(inputValue(node, context, 0), context);
  const ranges = sliceRanges(node, context, shape);
  if (shape.length > 5) context.refuse(`TFLite slices up to rank 5, not ${shape.length}`);
  const vector = (name: string, values: number[]) => int32Vector(context, `${node.id}/${name}`, values);
  const begin = vector(
    'begin',
    ranges.map(({ start }) => start),
  );
  if (ranges.every(({ step }) => step === 1)) {
    const size = vector('size', ranges.map(sliceLength));
    writeMove(node, context, (x, y) => context.op('SLICE', [x, begin, size], [y]));
    return;
  }
  const end = vector(
    'end',
    ranges.map((range) => range.end),
  );
  const strides = vector(
    'strides',
    ranges.map(({ step }) => step),
  );
  // An end of −1 would count from the back: the mask says "to the first element".
  const mask = ranges.reduce((bits, range, axis) => (range.end < 0 ? bits | (1 << axis) : bits), 0);
  const options = { table: 'StridedSliceOptions', fields: { end_mask: mask } };
  writeMove(node, context, (x, y) => context.op('STRIDED_SLICE', [x, begin, end, strides], [y], options));
}

/** Constant indices are counted from the front, which is all that the kernel takes. */
function writeGather(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(inputValue(node, context, 0), context);
  const axis = frontAxis(attrsOf(node, 'Gather').axis, shape.length);
  const indices = inputValue(node, context, 1);
  let ref: TfliteTensorRef;
  if (indices.constant) {
    const numbers = constantInput(node, context, 1)!.map((index) => frontAxis(index, shape[axis]));
    ref = context.constant(
      `${node.id}/indices`,
      numberTensor('int32', indices.type.shape as number[], numbers),
    );
  } else ref = context.tensor(indices.id);
  writeMove(node, context, (x, y) => gather(context, x, ref, y, axis));
}

function writeExpand(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(outputValue(node, context), context);
  if (elementCount(shape) === elementCount(shapeOf(inputValue(node, context, 0), context))) {
    writeReshape(node, context);
    return;
  }
  const target = int32Vector(context, `${node.id}/shape`, shape);
  writeMove(node, context, (x, y) => context.op('BROADCAST_TO', [x, target], [y]));
}

function writeTile(node: Node, context: TfliteWriteContext): void {
  const repeats = int32Vector(context, `${node.id}/repeats`, constantInput(node, context, 1)!);
  writeMove(node, context, (x, y) => context.op('TILE', [x, repeats], [y]));
}

/** Every dimension is known here, so that the shape is a constant; SHAPE of the file would say the same. */
function writeShape(node: Node, context: TfliteWriteContext): void {
  const { start, end } = attrsOf(node, 'Shape');
  const y = outputValue(node, context);
  const rank = inputValue(node, context, 0).type.shape.length;
  const whole = start === 0 && (end === undefined || end >= rank);
  const full = whole ? outputTensor(node, context) : innerLike(context, `${node.id}/shape`, y, [rank]);
  context.op('SHAPE', [inputTensor(node, context, 0)], [full], {
    table: 'ShapeOptions',
    fields: { out_type: tensorTypeCode(y.type.dtype) },
  });
  if (whole) return;
  const range = resolveSlice({ start, end: end ?? rank, step: 1 }, rank);
  const begin = int32Vector(context, `${node.id}/begin`, [range.start]);
  const size = int32Vector(context, `${node.id}/size`, [sliceLength(range)]);
  context.op('SLICE', [full, begin, size], [outputTensor(node, context)]);
}

function writeConstantOfShape(node: Node, context: TfliteWriteContext): void {
  const { value } = attrsOf(node, 'ConstantOfShape');
  const y = outputValue(node, context);
  const dims = int32Vector(context, `${node.id}/shape`, shapeOf(y, context));
  const fill = value ? { ...value, shape: [] } : numberTensor(y.type.dtype, [], [0]);
  context.op('FILL', [dims, context.constant(`${node.id}/value`, fill)], [outputTensor(node, context)]);
}

function writeRange(node: Node, context: TfliteWriteContext): void {
  const inputs = [0, 1, 2].map((i) => inputTensor(node, context, i));
  context.op('RANGE', inputs, [outputTensor(node, context)]);
}

export const shapeTflite = {
  write: {
    Reshape: writeReshape,
    Squeeze: writeReshape,
    Unsqueeze: writeReshape,
    Transpose: writeTranspose,
    Concat: writeConcat,
    Split: writeSplit,
    Slice: writeSlice,
    Pad: writePad,
    Gather: writeGather,
    Expand: writeExpand,
    Tile: writeTile,
    Shape: writeShape,
    ConstantOfShape: writeConstantOfShape,
    Range: writeRange,
    ...indexingTfliteWriters,
  },
  read: shapeTfliteReaders,
} satisfies TfliteFacet;
