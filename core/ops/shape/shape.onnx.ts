/** ONNX operators that rearrange tensors. */
import type { Value } from '../../ir/graph.ts';
import { int64Tensor } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import { constantInput, input, integers, named, plainReader, scalar, since } from '../onnx-helpers.ts';
import { indices } from '../pick-elements.ts';
import { constantReader } from './constant.onnx.ts';
import { shapeSpan } from './generate.op.ts';
import { indexingReaders, indexingWriters } from './indexing.onnx.ts';
import { shapeWriters } from './shape-writers.ts';

const readReshape: OnnxReader = (node, builder) => {
  const allowZero = node.int('allowzero', 0) !== 0;
  builder.add('Reshape', [input(node, 0), input(node, 1)], { allowZero }, named(node));
};

/** Rows from the axes before `axis`, columns from the others. */
const readFlatten: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const { shape } = x.type;
  const given = node.int('axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length)
    node.refuse(`axis ${given} is outside a tensor of rank ${shape.length}`);
  const product = (dims: readonly (number | string)[]): number | undefined =>
    dims.reduce<number | undefined>(
      (sum, dim) => (sum === undefined || typeof dim === 'string' ? undefined : sum * dim),
      1,
    );
  const rows = product(shape.slice(0, axis));
  const columns = product(shape.slice(axis));
  const wanted =
    rows !== undefined && columns !== undefined ? [rows, columns] : [rows ?? (axis === 1 ? 0 : -1), -1];
  if (rows === undefined && axis !== 1) wanted[1] = columns ?? -1;
  if (wanted[0] === -1 && wanted[1] === -1) {
    throw new Error(`Flatten "${node.name}" joins open dimensions on both sides`);
  }
  const allowZero = rows !== undefined && columns !== undefined;
  builder.add('Reshape', [x, integers(builder, node, 'shape', wanted)], { allowZero }, named(node));
};

const readTranspose: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const perm = node.ints('perm') ?? indices(x.type.shape.length).reverse();
  builder.add('Transpose', [x], { perm }, named(node));
};

/** Squeeze and Unsqueeze: axes as an attribute up to opset 12. */
function readAxes(op: string): OnnxReader {
  return (node, builder) => {
    const attribute = node.ints('axes');
    const axes = attribute ? integers(builder, node, 'axes', attribute) : (node.inputs[1] ?? null);
    builder.add(op, [input(node, 0), axes], {}, named(node));
  };
}

const readConcat: OnnxReader = (node, builder) => {
  const inputs = node.inputs.map((_, i) => input(node, i));
  const axis = node.int('axis', 1);
  const rank = inputs[0].type.shape.length;
  builder.add('Concat', inputs, { axis: axis < 0 ? axis + rank : axis }, named(node));
};

/** Parts of equal size where none are given; from opset 18 on the last one may be smaller. */
const readSplit: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const given = node.int('axis', 0);
  const axis = given < 0 ? given + x.type.shape.length : given;
  const attribute = node.ints('split');
  const parts = node.int('num_outputs', node.outputs.length);
  let sizes: Value;
  if (attribute) sizes = integers(builder, node, 'split', attribute);
  else if (node.inputs[1]) sizes = node.inputs[1];
  else {
    const dim = x.type.shape[axis];
    if (typeof dim !== 'number') throw new Error(`Split "${node.name}" cuts axis ${axis}, which is open`);
    if (node.opset < 18 && dim % parts !== 0) node.refuse(`${dim} elements do not make ${parts} equal parts`);
    const size = Math.ceil(dim / parts);
    const list = indices(parts).map((i) => (i < parts - 1 ? size : dim - size * (parts - 1)));
    sizes = integers(builder, node, 'split', list);
  }
  builder.add('Split', [x, sizes], { axis }, named(node));
};

const readSlice1: OnnxReader = (node, builder) => {
  const starts = node.ints('starts') ?? node.refuse('it has no starts');
  const ends = node.ints('ends') ?? node.refuse('it has no ends');
  const axes = node.ints('axes') ?? indices(starts.length);
  const inputs = [
    input(node, 0),
    integers(builder, node, 'starts', starts),
    integers(builder, node, 'ends', ends),
    integers(builder, node, 'axes', axes),
    null,
  ];
  builder.add('Slice', inputs, {}, named(node));
};

const readSlice10: OnnxReader = (node, builder) => {
  const [axes, steps] = [node.inputs[3] ?? null, node.inputs[4] ?? null];
  builder.add('Slice', [input(node, 0), input(node, 1), input(node, 2), axes, steps], {}, named(node));
};

function padMode(node: OnnxNodeView): 'constant' | 'reflect' | 'edge' | 'wrap' {
  const mode = node.string('mode', 'constant');
  if (mode === 'constant' || mode === 'reflect' || mode === 'edge' || mode === 'wrap') return mode;
  return node.refuse(`mode = ${mode} is not known`);
}

const readPad2: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const pads = node.ints('pads') ?? node.refuse('it has no pads');
  const value = scalar(builder, node, 'value', x.type.dtype, node.float('value', 0));
  builder.add('Pad', [x, integers(builder, node, 'pads', pads), value], { mode: padMode(node) }, named(node));
};

/** From opset 18 on pads may be given for some axes only. */
const readPad11: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  let pads = input(node, 1);
  if (node.inputs[3]) {
    const rank = x.type.shape.length;
    const axes = constantInput(node, 3, 'axes').map((axis) => (axis < 0 ? axis + rank : axis));
    const amounts = constantInput(node, 1, 'pads');
    const full = new Array<number>(2 * rank).fill(0);
    axes.forEach((axis, i) => {
      full[axis] = amounts[i];
      full[axis + rank] = amounts[i + axes.length];
    });
    pads = integers(builder, node, 'pads', full);
  }
  builder.add('Pad', [x, pads, node.inputs[2] ?? null], { mode: padMode(node) }, named(node));
};

const readGather: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const axis = node.int('axis', 0);
  const attrs = { axis: axis < 0 ? axis + x.type.shape.length : axis };
  builder.add('Gather', [x, input(node, 1)], attrs, named(node));
};

/** A shape that is known becomes a constant, so that what is computed from it is known too. */
const readShape: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const end = node.int('end', x.type.shape.length);
  const attrs = { start: node.int('start', 0), end };
  const span = shapeSpan(attrs, x.type.shape.length);
  const dims = x.type.shape.slice(span.start, span.start + span.length);
  if (dims.every((dim) => typeof dim === 'number')) {
    builder.constant(node.outputs[0], int64Tensor([dims.length], dims));
    return;
  }
  builder.add('Shape', [x], attrs, named(node));
};

const readSize: OnnxReader = (node, builder) => {
  const { shape } = input(node, 0).type;
  let count = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number')
      throw new Error(`Size "${node.name}" counts elements along ${dim}, which is open`);
    count *= dim;
  }
  builder.constant(node.outputs[0], int64Tensor([], [count]));
};

const readConstantOfShape: OnnxReader = (node, builder) => {
  builder.add('ConstantOfShape', [input(node, 0)], { value: node.tensor('value') }, named(node));
};

export const shapeOnnx = {
  read: {
    ...indexingReaders,
    Constant: since(1, constantReader),
    Reshape: since(5, readReshape),
    Flatten: since(1, readFlatten),
    Transpose: since(1, readTranspose),
    Squeeze: since(1, readAxes('Squeeze')),
    Unsqueeze: since(1, readAxes('Unsqueeze')),
    Concat: since(4, readConcat),
    Split: since(2, readSplit),
    Slice: { 1: readSlice1, 10: readSlice10 },
    Pad: { 2: readPad2, 11: readPad11 },
    Gather: since(1, readGather),
    Expand: since(8, plainReader('Expand')),
    Tile: since(6, plainReader('Tile')),
    Shape: since(1, readShape),
    Size: since(1, readSize),
    ConstantOfShape: since(9, readConstantOfShape),
    Range: since(11, plainReader('Range')),
  },
  write: { ...shapeWriters, ...indexingWriters },
} satisfies OnnxFacet;
