/**
 * TensorFlow's lists of tensors, which loops read from and write to. A graph of the IR has none: a list is known while
 * the graph is read, element by element, and nothing of it is left then but the tensors in it.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { DType } from '../../ir/dtype.ts';
import type { Value } from '../../ir/graph.ts';
import { int64Tensor, toNumbers } from '../../ir/tensor.ts';
import type { GraphDefNodeView } from '../../ops/facets.ts';
import { reshapeOf, scalarConstant, staticShapeOf } from '../../ops/graphdef-helpers.ts';

export interface TensorList {
  readonly dtype: DType;
  /** Undefined where nothing was written yet: zeros, once it is read. */
  readonly items: readonly (Value | undefined)[];
  /** Whether a write may lie behind its end. */
  readonly grows?: boolean;
}

/** What an operator on lists reads and gives. */
export type ListOperand = Value | { readonly list: TensorList };

/** @returns the first output, or all of several */
export type ListReader = (
  node: GraphDefNodeView,
  inputs: readonly ListOperand[],
  builder: GraphBuilder,
) => ListOperand | readonly ListOperand[];

/** A longer list is longer than any loop that is written out. */
export const mostItems = 1 << 16;

export function isList(item: unknown): item is { readonly list: TensorList } {
  return typeof item === 'object' && item !== null && 'list' in item;
}

export function listAt(node: GraphDefNodeView, inputs: readonly ListOperand[], index: number): TensorList {
  const item = inputs[index];
  return isList(item) ? item.list : node.refuse(`its input ${index} is no list of tensors`);
}

export function valueAt(node: GraphDefNodeView, inputs: readonly ListOperand[], index: number): Value {
  const item = inputs[index];
  return item && !isList(item) ? item : node.refuse(`its input ${index} is no tensor`);
}

/** A number that must be known while the graph is read. */
export function numberAt(
  node: GraphDefNodeView,
  inputs: readonly ListOperand[],
  index: number,
  what: string,
): number {
  const { constant } = valueAt(node, inputs, index);
  return constant ? toNumbers(constant)[0] : node.refuse(`its ${what} is computed while the model runs`);
}

const reserve: ListReader = (node, inputs) => {
  const length = numberAt(node, inputs, 1, 'length');
  if (!(length >= 0 && length <= mostItems)) node.refuse(`it makes a list of ${length} tensors`);
  const items = new Array<undefined>(length).fill(undefined);
  return { list: { dtype: node.dtype('element_dtype', 'float32'), items } };
};

/** A tensor cut along its first axis. */
export function cut(node: GraphDefNodeView, builder: GraphBuilder, x: Value): Value[] {
  const [length] = staticShapeOf(node, x);
  if (length === undefined || length > mostItems) node.refuse(`it cuts ${length} tensors`);
  // LiteRT does not split booleans, which masks are.
  if (x.type.dtype === 'bool' || length < 2) {
    return Array.from({ length }, (_, i) => {
      const at = scalarConstant(node, builder, 'at', 'int64', i);
      return builder.one('Gather', [x, at], { axis: 0 }, { name: `${node.name}/${i}` });
    });
  }
  const sizes = builder.constant(
    `${node.name}/sizes`,
    int64Tensor([length], new Array<number>(length).fill(1)),
  );
  const rows = builder.add('Split', [x, sizes], { axis: 0 }, { name: node.name });
  return rows.map((row) => reshapeOf(node, builder, row, staticShapeOf(node, x).slice(1)));
}

/** Tensors of one shape as rows of one tensor. */
export function pile(node: GraphDefNodeView, builder: GraphBuilder, items: readonly Value[]): Value {
  if (items.length === 0) node.refuse('it stacks an empty list');
  const rows = items.map((item) => reshapeOf(node, builder, item, [1, ...staticShapeOf(node, item)]));
  return rows.length === 1 ? rows[0] : builder.one('Concat', rows, { axis: 0 }, { name: node.name });
}

/** A list with another tensor at one place. */
export function withItem(
  node: GraphDefNodeView,
  list: TensorList,
  at: number,
  value: Value,
): { readonly list: TensorList } {
  const { items } = list;
  const fits =
    Number.isInteger(at) && at >= 0 && (at < items.length || (list.grows === true && at < mostItems));
  if (!fits) node.refuse(`it writes tensor ${at} of a list of ${items.length}`);
  const changed = Array.from({ length: Math.max(items.length, at + 1) }, (_, i) => items[i]);
  changed[at] = value;
  return { list: { ...list, items: changed } };
}

const fromTensor: ListReader = (node, inputs, builder) => {
  const x = valueAt(node, inputs, 0);
  return { list: { dtype: x.type.dtype, items: cut(node, builder, x) } };
};

/** Zeros in the place of an item that was never written; their shape is that of the others, or stated. */
function zeros(
  node: GraphDefNodeView,
  inputs: readonly ListOperand[],
  shapeInput: number,
  { items, dtype }: TensorList,
  builder: GraphBuilder,
): Value {
  const { constant } = valueAt(node, inputs, shapeInput);
  const stated = constant && constant.shape.length === 1 ? toNumbers(constant) : undefined;
  const known = items.find((item) => item !== undefined);
  const shape = known ? staticShapeOf(node, known) : stated;
  if (!shape || shape.some((size) => size < 0))
    return node.refuse('it reads a tensor that was never written');
  const target = builder.constant(`${node.name}/shape`, int64Tensor([shape.length], shape));
  return builder.one(
    'Expand',
    [scalarConstant(node, builder, 'zero', dtype, 0), target],
    {},
    { name: node.name },
  );
}

const getItem: ListReader = (node, inputs, builder) => {
  const list = listAt(node, inputs, 0);
  const at = numberAt(node, inputs, 1, 'index');
  if (!(at in list.items)) node.refuse(`it reads tensor ${at} of a list of ${list.items.length}`);
  return list.items[at] ?? zeros(node, inputs, 2, list, builder);
};

const setItem: ListReader = (node, inputs) => {
  const grows = node.boolean('resize_if_index_out_of_bounds', false);
  const list = { ...listAt(node, inputs, 0), grows };
  return withItem(node, list, numberAt(node, inputs, 1, 'index'), valueAt(node, inputs, 2));
};

const stack: ListReader = (node, inputs, builder) => {
  const list = listAt(node, inputs, 0);
  const expected = node.int('num_elements', -1);
  if (expected >= 0 && expected !== list.items.length)
    node.refuse(`it stacks a list of ${list.items.length} tensors as one of ${expected}`);
  return pile(
    node,
    builder,
    list.items.map((item) => item ?? zeros(node, inputs, 1, list, builder)),
  );
};

const length: ListReader = (node, inputs, builder) =>
  scalarConstant(node, builder, 'length', 'int32', listAt(node, inputs, 0).items.length);

export const listReaders: Readonly<Record<string, ListReader>> = {
  TensorListReserve: reserve,
  TensorListFromTensor: fromTensor,
  TensorListGetItem: getItem,
  TensorListSetItem: setItem,
  TensorListStack: stack,
  TensorListLength: length,
};
