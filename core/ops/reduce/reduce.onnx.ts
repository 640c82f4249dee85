/** ONNX reductions: axes are an attribute up to opset 12 (ReduceSum) or 17 (the others), an input after that. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { int64Tensor, toNumbers } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import { inner, input, int, integers, ints, named, type OnnxWriter, since } from '../onnx-helpers.ts';
import { perOp } from '../per-op.ts';

import { orderReaders, orderWriters } from './order.onnx.ts';

interface Reduction {
  readonly x: Value;
  readonly axes: Value | null;
  readonly keepDims: boolean;
  /** No axes and told to do nothing then. */
  readonly nothing: boolean;
}

function readReduction(node: OnnxNodeView, builder: GraphBuilder): Reduction {
  const attribute = node.ints('axes');
  const given = node.inputs[1] ?? null;
  const axes = attribute ? integers(builder, node, 'axes', attribute) : given;
  const empty = axes === null || axes.type.shape[0] === 0;
  return {
    x: input(node, 0),
    axes: empty ? null : axes,
    keepDims: node.int('keepdims', 1) !== 0,
    nothing: node.int('noop_with_empty_axes', 0) !== 0 && empty,
  };
}

/** `before` is applied to each element, `after` to the result. */
function readReduce(op: string, before?: 'Abs' | 'Square', after?: 'Sqrt' | 'Log'): OnnxReader {
  return (node, builder) => {
    const { x, axes, keepDims, nothing } = readReduction(node, builder);
    let value = x;
    if (before === 'Abs') value = builder.one('Abs', [x], {}, inner(node, 'abs'));
    if (before === 'Square')
      value = builder.one('Mul', [x, x], { activation: 'none' }, inner(node, 'square'));
    if (nothing) {
      builder.add(after ?? 'Identity', [value], {}, named(node));
      return;
    }
    if (!after) {
      builder.add(op, [value, axes], { keepDims }, named(node));
      return;
    }
    const reduced = builder.one(op, [value, axes], { keepDims }, inner(node, 'reduced'));
    builder.add(after, [reduced], {}, named(node));
  };
}

/** log Σ exp(x), with the maximum taken out first so that exp does not overflow. */
const readLogSumExp: OnnxReader = (node, builder) => {
  const { x, axes, keepDims, nothing } = readReduction(node, builder);
  if (nothing) {
    builder.add('Identity', [x], {}, named(node));
    return;
  }
  const reduce = (op: string, value: Value, keep: boolean, what: string) =>
    builder.one(op, [value, axes], { keepDims: keep }, inner(node, what));
  const peak = reduce('ReduceMax', x, true, 'peak');
  const lowered = builder.one('Sub', [x, peak], { activation: 'none' }, inner(node, 'lowered'));
  const sum = reduce('ReduceSum', builder.one('Exp', [lowered], {}, inner(node, 'exp')), keepDims, 'sum');
  const log = builder.one('Log', [sum], {}, inner(node, 'log'));
  const shift = keepDims ? peak : reduce('ReduceMax', x, false, 'shift');
  builder.add('Add', [log, shift], { activation: 'none' }, named(node));
};

function readArg(op: string): OnnxReader {
  return (node, builder) => {
    const attrs = { axis: node.int('axis', 0), keepDims: node.int('keepdims', 1) !== 0 };
    if (node.int('select_last_index', 0) !== 0) {
      readLastArg(op, node, builder, attrs);
      return;
    }
    builder.add(op, [input(node, 0)], attrs, named(node));
  };
}

/** The last of equal extrema is the first one counted from the back. */
function readLastArg(
  op: string,
  node: OnnxNodeView,
  builder: GraphBuilder,
  attrs: { axis: number; keepDims: boolean },
): void {
  const x = input(node, 0);
  const axis = attrs.axis < 0 ? attrs.axis + x.type.shape.length : attrs.axis;
  const size = x.type.shape[axis];
  if (typeof size !== 'number') throw new Error(`${op} "${node.name}" works on an open dimension, ${size}`);
  const part = (what: string, value: number) => integers(builder, node, what, [value]);
  // An end below −size stands for "past the first element".
  const range = [part('start', -1), part('end', -size - 1), part('axis', axis), part('step', -1)];
  const turned = builder.one('Slice', [x, ...range], {}, inner(node, 'turned'));
  const found = builder.one(op, [turned], { ...attrs, axis }, inner(node, 'found'));
  const last = builder.constant(`${node.name}/last`, int64Tensor([], [size - 1]));
  builder.add('Sub', [last, found], { activation: 'none' }, named(node));
}

/** Reductions over all of space are written as global pools, the form that runtimes and their tools know best. */
const globalPools: Readonly<Record<string, string>> = {
  ReduceMean: 'GlobalAveragePool',
  ReduceMax: 'GlobalMaxPool',
};

function writeReduce(opType: string): OnnxWriter {
  return (node, context) => {
    const [x, axes] = [node.inputs[0]!, node.inputs[1] ?? null];
    const keepdims = int(node.attrs.keepDims === true);
    if (axes === null) {
      context.node(opType, [x], node.outputs, { keepdims });
      return;
    }
    const { constant } = context.value(axes);
    if (!constant) {
      if (opType !== 'ReduceSum' && context.opset < 18) context.refuse('computed axes need opset 18');
      context.node(opType, [x, axes], node.outputs, { keepdims });
      return;
    }
    const { dtype, shape } = context.value(x).type;
    const numbers = toNumbers(constant).map((axis) => (axis < 0 ? axis + shape.length : axis));
    const space = shape.map((_, axis) => axis).slice(2);
    const whole = space.length > 0 && String([...numbers].sort((a, b) => a - b)) === String(space);
    if (globalPools[opType] && whole && node.attrs.keepDims === true && dtype.startsWith('float')) {
      context.node(globalPools[opType], [x], node.outputs);
    } else if (opType === 'ReduceSum' || context.opset >= 18) {
      context.node(opType, [x, axes], node.outputs, { keepdims });
    } else {
      context.node(opType, [x], node.outputs, { keepdims, axes: ints(numbers) });
    }
  };
}

function writeArg(opType: string): OnnxWriter {
  return (node, context) =>
    context.node(opType, node.inputs, node.outputs, {
      axis: int(node.attrs.axis as number),
      keepdims: int(node.attrs.keepDims === true),
    });
}

const reductions = ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd'] as const;

export const reduceOnnx = {
  read: {
    ...orderReaders,
    ...perOp(reductions, (op) => since(1, readReduce(op))),
    ReduceL1: since(1, readReduce('ReduceSum', 'Abs')),
    ReduceL2: since(1, readReduce('ReduceSum', 'Square', 'Sqrt')),
    ReduceSumSquare: since(1, readReduce('ReduceSum', 'Square')),
    ReduceLogSum: since(1, readReduce('ReduceSum', undefined, 'Log')),
    ReduceLogSumExp: since(1, readLogSumExp),
    ArgMax: since(1, readArg('ArgMax')),
    ArgMin: since(1, readArg('ArgMin')),
  },
  write: {
    ...orderWriters,
    ...perOp(reductions, (op) => writeReduce(op)),
    ArgMax: writeArg('ArgMax'),
    ArgMin: writeArg('ArgMin'),
  },
} satisfies OnnxFacet;
