/** TensorFlow operators that rearrange, join and make tensors. */
import { int64Tensor, toNumbers } from '../../ir/tensor.ts';
import type { GraphDefFacet, GraphDefNodeView, GraphDefReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import {
  asInt64,
  axesOf,
  axisOf,
  constantNumbersOf,
  innerOf,
  inputOf,
  int64Constant,
  plainReader,
  resultOf,
  scalarConstant,
  staticShapeOf,
} from '../graphdef-helpers.ts';
import { indices } from '../pick-elements.ts';
import { blockReaders } from './graphdef-blocks.ts';
import { indexingReaders } from './graphdef-indexing.ts';
import { sliceReaders } from './graphdef-slices.ts';

/** 0 is a size, not "as it was". */
const readReshape: GraphDefReader = (node, builder) => {
  const shape = asInt64(node, builder, inputOf(node, 1));
  const allowZero = !shape.constant || toNumbers(shape.constant).includes(0);
  return [resultOf(node, builder, 'Reshape', [inputOf(node, 0), shape], { allowZero })];
};

const readSqueeze: GraphDefReader = (node, builder) => {
  const listed = node.ints('squeeze_dims');
  const axes = listed.length > 0 ? listed : node.ints('axis');
  const list = axes.length > 0 ? int64Constant(node, builder, 'axes', axes) : null;
  return [resultOf(node, builder, 'Squeeze', [inputOf(node, 0), list])];
};

const readExpandDims: GraphDefReader = (node, builder) => {
  const axes = int64Constant(node, builder, 'axes', constantNumbersOf(node, 1, 'axis'));
  return [resultOf(node, builder, 'Unsqueeze', [inputOf(node, 0), axes])];
};

const readTranspose: GraphDefReader = (node, builder) => [
  resultOf(node, builder, 'Transpose', [inputOf(node, 0)], { perm: axesOf(node, 1) }),
];

/** ConcatV2 has the axis last, Concat first. */
function concat(axisFirst: boolean): GraphDefReader {
  return (node, builder) => {
    const at = axisFirst ? 0 : node.inputs.length - 1;
    const parts = node.inputs.filter((_, i) => i !== at);
    const rank = parts[0]?.type.shape.length ?? node.refuse('it joins nothing');
    const axis = axisOf(node, constantNumbersOf(node, at, 'axis')[0], rank);
    if (parts.length === 1) return [resultOf(node, builder, 'Identity', parts)];
    return [resultOf(node, builder, 'Concat', parts, { axis })];
  };
}

/** Stacks along a new axis. */
const readPack: GraphDefReader = (node, builder) => {
  const axis = axisOf(node, node.int('axis', 0), inputOf(node, 0).type.shape.length + 1);
  const axes = int64Constant(node, builder, 'axes', [axis]);
  const parts = node.inputs.map((part) => innerOf(node, builder, 'Unsqueeze', [part, axes]));
  if (parts.length === 1) return [resultOf(node, builder, 'Identity', parts)];
  return [resultOf(node, builder, 'Concat', parts, { axis })];
};

/** Cuts an axis into slices of 1 and drops it. */
const readUnpack: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const axis = axisOf(node, node.int('axis', 0), x.type.shape.length);
  const size = staticShapeOf(node, x)[axis];
  const sizes = int64Constant(node, builder, 'split', new Array<number>(size).fill(1));
  const parts = builder.add('Split', [x, sizes], { axis }, { name: `${node.name}/split` });
  const axes = int64Constant(node, builder, 'axes', [axis]);
  return parts.map((part) => resultOf(node, builder, 'Squeeze', [part, axes]));
};

const readSplit: GraphDefReader = (node, builder) => {
  const isEven = node.op === 'Split';
  const x = inputOf(node, isEven ? 1 : 0);
  const shape = staticShapeOf(node, x);
  const axis = axisOf(node, constantNumbersOf(node, isEven ? 0 : 2, 'axis')[0], shape.length);
  const count = node.int('num_split', 1);
  let sizes = new Array<number>(count).fill(shape[axis] / count);
  if (!isEven) {
    const listed = constantNumbersOf(node, 1, 'sizes');
    const known = listed.reduce((sum, size) => sum + Math.max(size, 0), 0);
    sizes = listed.map((size) => (size < 0 ? shape[axis] - known : size));
  }
  if (!sizes.every(Number.isInteger)) node.refuse(`${count} parts do not divide an axis of ${shape[axis]}`);
  const list = int64Constant(node, builder, 'split', sizes);
  return builder.add('Split', [x, list], { axis }, { name: node.name });
};

function amounts(node: GraphDefNodeView): { begins: number[]; ends: number[] } {
  const rows = constantNumbersOf(node, 1, 'paddings');
  return { begins: rows.filter((_, i) => i % 2 === 0), ends: rows.filter((_, i) => i % 2 === 1) };
}

const readPad: GraphDefReader = (node, builder) => {
  const { begins, ends } = amounts(node);
  const pads = int64Constant(node, builder, 'pads', [...begins, ...ends]);
  const value = node.op === 'PadV2' ? inputOf(node, 2) : null;
  return [resultOf(node, builder, 'Pad', [inputOf(node, 0), pads, value], { mode: 'constant' })];
};

/** SYMMETRIC repeats the edge; more than one element of it is picked by index, which the IR's modes cannot say. */
const readMirrorPad: GraphDefReader = (node, builder) => {
  const { begins, ends } = amounts(node);
  const isSymmetric = node.string('mode', 'REFLECT') === 'SYMMETRIC';
  let x = inputOf(node, 0);
  if (!isSymmetric || [...begins, ...ends].every((pad) => pad <= 1)) {
    const pads = int64Constant(node, builder, 'pads', [...begins, ...ends]);
    return [resultOf(node, builder, 'Pad', [x, pads, null], { mode: isSymmetric ? 'edge' : 'reflect' })];
  }
  staticShapeOf(node, x).forEach((size, axis) => {
    if (begins[axis] + ends[axis] === 0) return;
    if (Math.max(begins[axis], ends[axis]) > size) node.refuse(`it pads axis ${axis} by more than its size`);
    const before = indices(begins[axis]).map((i) => begins[axis] - 1 - i);
    const after = indices(ends[axis]).map((i) => size - 1 - i);
    const picked = int64Constant(node, builder, `axis${axis}`, [...before, ...indices(size), ...after]);
    x = resultOf(node, builder, 'Gather', [x, picked], { axis });
  });
  return [x];
};

/** Each axis in turn is cut where its new first element stands, and the two parts change places. */
const readRoll: GraphDefReader = (node, builder) => {
  const axes = axesOf(node, 2);
  const shifts = constantNumbersOf(node, 1, 'shifts');
  return [
    axes.reduce(
      (x, axis, i) => {
        const size = staticShapeOf(node, x)[axis];
        const shift = size === 0 ? 0 : ((shifts[i] % size) + size) % size;
        if (shift === 0) return x;
        const sizes = int64Constant(node, builder, `split${i}`, [size - shift, shift]);
        const parts = builder.add('Split', [x, sizes], { axis }, { name: `${node.name}/split${i}` });
        return resultOf(node, builder, 'Concat', [parts[1], parts[0]], { axis });
      },
      inputOf(node, 0),
    ),
  ];
};

const readInvertPermutation: GraphDefReader = (node, builder) => {
  const perm = constantNumbersOf(node, 0, 'axes');
  const inverse = indices(perm.length).map((axis) => perm.indexOf(axis));
  return [builder.constant(node.name, tensorFrom(inputOf(node, 0).type.dtype, [perm.length], inverse))];
};

function withVector(op: string): GraphDefReader {
  return (node, builder) => [
    resultOf(node, builder, op, [inputOf(node, 0), asInt64(node, builder, inputOf(node, 1))]),
  ];
}

const readFill: GraphDefReader = (node, builder) => [
  resultOf(node, builder, 'Expand', [inputOf(node, 1), asInt64(node, builder, inputOf(node, 0))]),
];

/** A shape that is known is a constant, so that what is computed from it is known too. */
const readShape: GraphDefReader = (node, builder) => {
  const dtype = node.dtype('out_type', 'int32');
  return node.inputs.map((x) => {
    const shape = staticShapeOf(node, x);
    return builder.constant(node.name, tensorFrom(dtype, [shape.length], shape));
  });
};

const readSize: GraphDefReader = (node, builder) => {
  const count = staticShapeOf(node, inputOf(node, 0)).reduce((product, size) => product * size, 1);
  return [builder.constant(node.name, tensorFrom(node.dtype('out_type', 'int32'), [], [count]))];
};

const readRank: GraphDefReader = (node, builder) => [
  builder.constant(node.name, tensorFrom('int32', [], [inputOf(node, 0).type.shape.length])),
];

/** A constant of the input's shape: 0 or 1 everywhere. */
function filled(value: 0 | 1): GraphDefReader {
  return (node, builder) => {
    const x = inputOf(node, 0);
    const scalar = scalarConstant(node, builder, 'value', x.type.dtype, value);
    const shape = builder.constant(
      `${node.name}/shape`,
      int64Tensor([x.type.shape.length], staticShapeOf(node, x)),
    );
    return [resultOf(node, builder, 'Expand', [scalar, shape])];
  };
}

/** The shape that two shapes broadcast to, known before the model runs. */
const readBroadcastArgs: GraphDefReader = (node, builder) => {
  const [a, b] = [constantNumbersOf(node, 0, 'shapes'), constantNumbersOf(node, 1, 'shapes')];
  const rank = Math.max(a.length, b.length);
  const from = (shape: readonly number[], axis: number) => shape[axis - (rank - shape.length)] ?? 1;
  const shape = indices(rank).map((axis) => {
    const [x, y] = [from(a, axis), from(b, axis)];
    if (x !== y && x !== 1 && y !== 1)
      node.refuse(`[${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return x === 1 ? y : x;
  });
  return [builder.constant(node.name, tensorFrom(inputOf(node, 0).type.dtype, [rank], shape))];
};

const readLinSpace: GraphDefReader = (node, builder) => {
  const [[start], [stop], [count]] = [0, 1, 2].map((i) => constantNumbersOf(node, i, 'limits'));
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  const values = indices(count).map((i) => (i === count - 1 && count > 1 ? stop : start + i * step));
  return [builder.constant(node.name, tensorFrom(inputOf(node, 0).type.dtype, [count], values))];
};

export const shapeGraphDef = {
  ...sliceReaders,
  ...blockReaders,
  ...indexingReaders,
  Reshape: readReshape,
  Squeeze: readSqueeze,
  ExpandDims: readExpandDims,
  Transpose: readTranspose,
  ConcatV2: concat(false),
  Concat: concat(true),
  Pack: readPack,
  Unpack: readUnpack,
  Split: readSplit,
  SplitV: readSplit,
  Pad: readPad,
  PadV2: readPad,
  MirrorPad: readMirrorPad,
  Roll: readRoll,
  InvertPermutation: readInvertPermutation,
  Tile: withVector('Tile'),
  BroadcastTo: withVector('Expand'),
  BroadcastArgs: readBroadcastArgs,
  Fill: readFill,
  Range: plainReader('Range', 3),
  LinSpace: readLinSpace,
  Shape: readShape,
  ShapeN: readShape,
  Size: readSize,
  Rank: readRank,
  ZerosLike: filled(0),
  OnesLike: filled(1),
  EnsureShape: (node) => [inputOf(node, 0)],
} satisfies GraphDefFacet;
