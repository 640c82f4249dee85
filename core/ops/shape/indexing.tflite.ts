import type { DType } from '../../ir/dtype.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { elementCount, rowMajorStrides } from '../../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputTensor,
  inputValue,
  int32Scalar,
  int32Vector,
  needFloat,
  numberTensor,
  outputTensor,
  outputValue,
  reshape,
  scalarLike,
  shapeOf,
  writeMove,
} from '../tflite-helpers.ts';
import { tensorTypeCode } from '../tflite-types.ts';

/** One column of index tuples: fixed numbers, or a tensor computed while the model runs. */
type Column = { readonly numbers: readonly number[] } | { readonly ref: TfliteTensorRef };

function int32Of(node: Node, context: TfliteWriteContext, value: Value): TfliteTensorRef {
  const ref = context.tensor(value.id);
  if (value.type.dtype === 'int32') return ref;
  const cast = context.inner(`${node.id}/int32`, { dtype: 'int32', shape: value.type.shape });
  context.op('CAST', [ref], [cast], {
    table: 'CastOptions',
    fields: { in_data_type: tensorTypeCode(value.type.dtype), out_data_type: tensorTypeCode('int32') },
  });
  return cast;
}

/** Position along `axis` of every element of a shape, in row-major order. */
function positions(shape: readonly number[], axis: number): number[] {
  const step = rowMajorStrides(shape)[axis];
  return Array.from({ length: elementCount(shape) }, (_, i) => Math.floor(i / step) % shape[axis]);
}

/** Joins columns [… ,width] of index tuples along a new or last axis; all constant ones become one constant. */
function indexTuples(
  node: Node,
  context: TfliteWriteContext,
  shape: readonly number[],
  columns: readonly Column[],
): TfliteTensorRef {
  const count = elementCount(shape);
  const constant = (list: readonly (readonly number[])[]) =>
    context.constant(
      `${node.id}/indices`,
      numberTensor(
        'int32',
        [...shape, list.length],
        Array.from(
          { length: count * list.length },
          (_, i) => list[i % list.length][Math.floor(i / list.length)],
        ),
      ),
    );
  const parts: TfliteTensorRef[] = [];
  let pending: (readonly number[])[] = [];
  for (const column of columns) {
    if ('numbers' in column) pending.push(column.numbers);
    else {
      if (pending.length > 0) parts.push(constant(pending));
      pending = [];
      parts.push(column.ref);
    }
  }
  if (pending.length > 0) parts.push(constant(pending));
  if (parts.length === 1) return parts[0];
  const joined = context.inner(`${node.id}/tuples`, { dtype: 'int32', shape: [...shape, columns.length] });
  context.op('CONCATENATION', parts, [joined], {
    table: 'ConcatenationOptions',
    fields: { axis: shape.length },
  });
  return joined;
}

/** Index tuples of an operator whose indices name one axis and stand in place on the others. */
function elementTuples(node: Node, context: TfliteWriteContext, axis: number, size: number): TfliteTensorRef {
  const indices = inputValue(node, context, 1);
  const shape = shapeOf(indices, context);
  const columns = shape.map((_, at): Column => {
    if (at !== axis) return { numbers: positions(shape, at) };
    if (indices.constant) {
      return { numbers: constantInput(node, context, 1)!.map((index) => frontAxis(index, size)) };
    }
    const column = context.inner(`${node.id}/column`, { dtype: 'int32', shape: [...shape, 1] });
    reshape(context, int32Of(node, context, indices), column, `${node.id}/column`, [...shape, 1]);
    return { ref: column };
  });
  return indexTuples(node, context, shape, columns);
}

/** Index tuples that the node has itself, counted from the front where they are constant. */
function givenTuples(node: Node, context: TfliteWriteContext, sizes: readonly number[]): TfliteTensorRef {
  const indices = inputValue(node, context, 1);
  if (!indices.constant) return int32Of(node, context, indices);
  const numbers = constantInput(node, context, 1)!.map((index, i) =>
    frontAxis(index, sizes[i % sizes.length]),
  );
  return context.constant(`${node.id}/indices`, numberTensor('int32', shapeOf(indices, context), numbers));
}

function writeGatherElements(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(inputValue(node, context, 0), context);
  const axis = frontAxis(attrsOf(node, 'GatherElements').axis, shape.length);
  const tuples = elementTuples(node, context, axis, shape[axis]);
  writeMove(node, context, (x, y) => context.op('GATHER_ND', [x, tuples], [y]));
}

/** Leading batch axes become leading columns of the tuples. */
function writeGatherNd(node: Node, context: TfliteWriteContext): void {
  const { batchDims } = attrsOf(node, 'GatherND');
  const shape = shapeOf(inputValue(node, context, 0), context);
  const indices = inputValue(node, context, 1);
  const tupleShape = shapeOf(indices, context);
  const depth = tupleShape[tupleShape.length - 1];
  let tuples = givenTuples(node, context, shape.slice(batchDims, batchDims + depth));
  if (batchDims > 0) {
    const rows = tupleShape.slice(0, -1);
    const batch = Array.from(
      { length: batchDims },
      (_, axis): Column => ({ numbers: positions(rows, axis) }),
    );
    tuples = joinBatch(node, context, rows, batch, tuples, depth);
  }
  writeMove(node, context, (x, y) => context.op('GATHER_ND', [x, tuples], [y]));
}

function joinBatch(
  node: Node,
  context: TfliteWriteContext,
  rows: readonly number[],
  batch: readonly Column[],
  tuples: TfliteTensorRef,
  depth: number,
): TfliteTensorRef {
  const lead = indexTuples(node, context, rows, batch);
  const shape = [...rows, batch.length + depth];
  const joined = context.inner(`${node.id}/batched`, { dtype: 'int32', shape });
  context.op('CONCATENATION', [lead, tuples], [joined], {
    table: 'ConcatenationOptions',
    fields: { axis: rows.length },
  });
  return joined;
}

/**
 * SCATTER_ND adds updates to zeros. Added to x it is `add`; `none` takes it where a scatter of ones is not zero. ONNX
 * leaves repeated indices of `none` undefined.
 */
function scatter(
  node: Node,
  context: TfliteWriteContext,
  reduction: string,
  tuples: TfliteTensorRef,
  updateShape: readonly number[],
): void {
  const x = inputValue(node, context, 0);
  if (x.quant) needFloat(node, context);
  if (reduction !== 'none' && reduction !== 'add') {
    context.refuse(`it combines by ${reduction}; TFLite's scatter adds or replaces`);
  }
  const shape = int32Vector(context, `${node.id}/shape`, shapeOf(x, context));
  const spread = (name: string, updates: TfliteTensorRef, dtype: DType) => {
    const target = context.inner(`${node.id}/${name}`, { dtype, shape: x.type.shape });
    context.op('SCATTER_ND', [tuples, updates, shape], [target]);
    return target;
  };
  const values = spread('spread', inputTensor(node, context, 2), x.type.dtype);
  if (reduction === 'add') {
    context.op('ADD', [context.tensor(x.id), values], [outputTensor(node, context)], {
      table: 'AddOptions',
      fields: {},
    });
    return;
  }
  const ones = new Array<number>(elementCount(updateShape)).fill(1);
  const hits = spread(
    'hits',
    context.constant(`${node.id}/ones`, numberTensor('int32', updateShape, ones)),
    'int32',
  );
  const mask = context.inner(`${node.id}/mask`, { dtype: 'bool', shape: x.type.shape });
  context.op('NOT_EQUAL', [hits, int32Scalar(context, `${node.id}/zero`, 0)], [mask]);
  context.op('SELECT_V2', [mask, values, context.tensor(x.id)], [outputTensor(node, context)]);
}

function writeScatterElements(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'ScatterElements');
  const shape = shapeOf(inputValue(node, context, 0), context);
  const axis = frontAxis(attrs.axis, shape.length);
  const tuples = elementTuples(node, context, axis, shape[axis]);
  scatter(node, context, attrs.reduction, tuples, shapeOf(inputValue(node, context, 2), context));
}

function writeScatterNd(node: Node, context: TfliteWriteContext): void {
  const shape = shapeOf(inputValue(node, context, 0), context);
  const tuples = givenTuples(
    node,
    context,
    shape.slice(0, shapeOf(inputValue(node, context, 1), context).at(-1)),
  );
  const { reduction } = attrsOf(node, 'ScatterND');
  scatter(node, context, reduction, tuples, shapeOf(inputValue(node, context, 2), context));
}

/** Indices below zero count from the end in ONNX and are off in TFLite: computed ones are turned first. */
function writeOneHot(node: Node, context: TfliteWriteContext): void {
  const indices = inputValue(node, context, 0);
  const y = outputValue(node, context);
  const [depth] = constantInput(node, context, 1)!;
  const [off, on] = constantInput(node, context, 2)!;
  const shape = shapeOf(indices, context);
  let ref: TfliteTensorRef;
  if (indices.constant) {
    const numbers = constantInput(node, context, 0)!.map((index) => frontAxis(index, depth));
    ref = context.constant(`${node.id}/indices`, numberTensor('int32', shape, numbers));
  } else {
    const raw = int32Of(node, context, indices);
    const like = { id: node.id, type: { dtype: 'int32', shape } } as const;
    const [turned, isNegative] = [
      innerLike(context, `${node.id}/turned`, like),
      negative(node, context, raw, shape),
    ];
    context.op('ADD', [raw, int32Scalar(context, `${node.id}/depth`, depth)], [turned], {
      table: 'AddOptions',
      fields: {},
    });
    ref = innerLike(context, `${node.id}/front`, like);
    context.op('SELECT_V2', [isNegative, turned, raw], [ref]);
  }
  const axis = frontAxis(attrsOf(node, 'OneHot').axis, shape.length + 1);
  const numbers = [
    scalarLike(y, context, `${node.id}/on`, on),
    scalarLike(y, context, `${node.id}/off`, off),
  ];
  context.op(
    'ONE_HOT',
    [ref, int32Scalar(context, `${node.id}/depth`, depth), ...numbers],
    [outputTensor(node, context)],
    { table: 'OneHotOptions', fields: { axis: axis === shape.length ? -1 : axis } },
  );
}

function negative(
  node: Node,
  context: TfliteWriteContext,
  indices: TfliteTensorRef,
  shape: readonly number[],
): TfliteTensorRef {
  const result = context.inner(`${node.id}/negative`, { dtype: 'bool', shape });
  context.op('LESS', [indices, int32Scalar(context, `${node.id}/zero`, 0)], [result]);
  return result;
}

export const indexingTfliteWriters = {
  GatherElements: writeGatherElements,
  GatherND: writeGatherNd,
  ScatterElements: writeScatterElements,
  ScatterND: writeScatterNd,
  OneHot: writeOneHot,
};
