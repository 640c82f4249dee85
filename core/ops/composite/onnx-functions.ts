/** Rarer ONNX functions, written out in the IR's operators. */
import type { DType } from '../../ir/dtype.ts';
import { int64Tensor, tensorOf } from '../../ir/tensor.ts';
import { EinsumError, einsum } from '../dense/einsum.ts';
import type { OnnxReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import { constantInput, inner, input, named, scalar } from '../onnx-helpers.ts';
import { indices } from '../pick-elements.ts';

const plain = { activation: 'none' } as const;

/** sin / cos. */
const readTan: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const sine = builder.one('Sin', [x], {}, inner(node, 'sin'));
  const cosine = builder.one('Cos', [x], {}, inner(node, 'cos'));
  builder.add('Div', [sine, cosine], plain, named(node));
};

/** (exp(x) ∓ exp(−x)) / 2. */
function readHyperbolic(op: 'Sub' | 'Add'): OnnxReader {
  return (node, builder) => {
    const x = input(node, 0);
    const up = builder.one('Exp', [x], {}, inner(node, 'up'));
    const down = builder.one(
      'Exp',
      [builder.one('Neg', [x], {}, inner(node, 'minus'))],
      {},
      inner(node, 'down'),
    );
    const both = builder.one(op, [up, down], plain, inner(node, 'both'));
    builder.add('Mul', [both, scalar(builder, node, 'half', x.type.dtype, 0.5)], plain, named(node));
  };
}

/** x + bias below −lambd, x − bias above lambd, 0 between. */
const readShrink: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const { dtype } = x.type;
  const number = (what: string, value: number) => scalar(builder, node, what, dtype, value);
  const [limit, bias] = [node.float('lambd', 0.5), node.float('bias', 0)];
  const above = builder.one('Greater', [x, number('high', limit)], {}, inner(node, 'above'));
  const below = builder.one('Less', [x, number('low', -limit)], {}, inner(node, 'below'));
  const shift = number('bias', bias);
  const lowered = builder.one('Sub', [x, shift], plain, inner(node, 'lowered'));
  const raised = builder.one('Add', [x, shift], plain, inner(node, 'raised'));
  const outside = builder.one('Where', [below, raised, number('zero', 0)], {}, inner(node, 'outside'));
  builder.add('Where', [above, lowered, outside], {}, named(node));
};

const dataTypes: Readonly<Record<number, DType>> = {
  1: 'float32',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  11: 'float64',
};

/** The shape is known before the model runs, so the matrix is too. */
const readEyeLike: OnnxReader = (node, builder) => {
  const { dtype, shape } = input(node, 0).type;
  const [rows, columns] = shape;
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    throw new Error(`EyeLike "${node.name}" takes the shape of an open dimension`);
  }
  const id = node.int('dtype', 0);
  const type = id === 0 ? dtype : (dataTypes[id] ?? node.refuse(`dtype = ${id} is not supported`));
  const k = node.int('k', 0);
  const ones = indices(rows * columns).map((i) => Number((i % columns) - Math.floor(i / columns) === k));
  builder.constant(node.outputs[0], tensorFrom(type, [rows, columns], ones));
};

/** Two operands as one matrix product. */
const readEinsum: OnnxReader = (node, builder) => {
  const [left, right] = [input(node, 0), node.inputs[1] ?? null];
  const equation = node.string('equation', '');
  if (!right || node.inputs.length > 2) {
    return node.refuse(`${equation} does not take two operands, which alone is supported`);
  }
  const open = [left, right].find((value) => value.type.shape.some((dim) => typeof dim !== 'number'));
  if (open) throw new Error(`Einsum "${node.name}" works on an open dimension of "${open.id}"`);
  try {
    const result = einsum(builder, equation, left, right.constant ?? right, `${node.name}/einsum`);
    builder.add('Identity', [result], {}, named(node));
  } catch (error) {
    if (error instanceof EinsumError) node.refuse(error.message);
    throw error;
  }
};

/** 1 at the first maximum along an axis, 0 elsewhere. */
const readHardmax: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const rank = x.type.shape.length;
  const given = node.int('axis', -1);
  const axis = given < 0 ? given + rank : given;
  const size = x.type.shape[axis];
  if (typeof size !== 'number') throw new Error(`Hardmax "${node.name}" works on an open dimension`);
  const best = builder.one('ArgMax', [x], { axis, keepDims: false }, inner(node, 'best'));
  const depth = builder.constant(`${node.name}/depth`, tensorOf('int64', [], BigInt64Array.of(BigInt(size))));
  const values = builder.constant(`${node.name}/values`, tensorFrom(x.type.dtype, [2], [0, 1]));
  builder.add('OneHot', [best, depth, values], { axis }, named(node));
};

/** Turns the beginning of each sequence round: the places to read from are known where the lengths are. */
const readReverseSequence: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const lengths = constantInput(node, 1, 'the lengths of sequences');
  const [batchAxis, timeAxis] = [node.int('batch_axis', 1), node.int('time_axis', 0)];
  if (batchAxis + timeAxis !== 1)
    node.refuse(`batch_axis = ${batchAxis}, time_axis = ${timeAxis} are not 0 and 1`);
  const [first, second] = x.type.shape;
  if (typeof first !== 'number' || typeof second !== 'number') {
    throw new Error(`ReverseSequence "${node.name}" works on an open dimension`);
  }
  const places = indices(first * second).flatMap((at) => {
    const place = [Math.floor(at / second), at % second];
    const length = lengths[place[batchAxis]];
    const time = place[timeAxis];
    place[timeAxis] = time < length ? length - 1 - time : time;
    return place;
  });
  const picked = builder.constant(`${node.name}/places`, int64Tensor([first, second, 2], places));
  builder.add('GatherND', [x, picked], { batchDims: 0 }, named(node));
};

export const functionReaders = {
  Tan: { 7: readTan },
  Sinh: { 9: readHyperbolic('Sub') },
  Cosh: { 9: readHyperbolic('Add') },
  Shrink: { 9: readShrink },
  EyeLike: { 9: readEyeLike },
  Einsum: { 12: readEinsum },
  Hardmax: { 13: readHardmax },
  ReverseSequence: { 10: readReverseSequence },
};
