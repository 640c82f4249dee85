/**
 * TensorArrays of TensorFlow 1. The handle only says what the array is; what stands in it is carried by the flow, which
 * each operator takes and gives.
 */
import { int64Tensor, toNumbers } from '../../ir/tensor.ts';
import { reshapeOf, scalarConstant, staticShapeOf } from '../../ops/graphdef-helpers.ts';
import {
  cut,
  type ListReader,
  listAt,
  mostItems,
  numberAt,
  pile,
  type TensorList,
  valueAt,
  withItem,
} from './tensor-lists.ts';

const make: ListReader = (node, inputs) => {
  const length = numberAt(node, inputs, 0, 'size');
  if (!(length >= 0 && length <= mostItems)) node.refuse(`it makes an array of ${length} tensors`);
  // None of these changes what is read from an array that was written.
  for (const flag of ['clear_after_read', 'identical_element_shapes']) node.boolean(flag, false);
  node.string('tensor_array_name', '');
  const items = new Array<undefined>(length).fill(undefined);
  const made = {
    list: { dtype: node.dtype('dtype', 'float32'), items, grows: node.boolean('dynamic_size', false) },
  };
  return [made, made];
};

function written(node: Parameters<ListReader>[0], { items }: TensorList, at: number) {
  return items[at] ?? node.refuse(`it reads tensor ${at} of ${items.length}, which was never written`);
}

/** Places that must be known while the graph is read. */
function placesAt(
  node: Parameters<ListReader>[0],
  inputs: Parameters<ListReader>[1],
  index: number,
): number[] {
  const { constant } = valueAt(node, inputs, index);
  return constant ? toNumbers(constant) : node.refuse('its indices are computed while the model runs');
}

const read: ListReader = (node, inputs) =>
  written(node, listAt(node, inputs, 2), numberAt(node, inputs, 1, 'index'));

const write: ListReader = (node, inputs) => {
  const list = listAt(node, inputs, 3);
  return withItem(node, list, numberAt(node, inputs, 1, 'index'), valueAt(node, inputs, 2));
};

const gather: ListReader = (node, inputs, builder) => {
  const list = listAt(node, inputs, 2);
  return pile(
    node,
    builder,
    placesAt(node, inputs, 1).map((at) => written(node, list, at)),
  );
};

const scatter: ListReader = (node, inputs, builder) => {
  const places = placesAt(node, inputs, 1);
  const rows = cut(node, builder, valueAt(node, inputs, 2));
  if (rows.length !== places.length) node.refuse(`it puts ${rows.length} tensors in ${places.length} places`);
  const start = { list: listAt(node, inputs, 3) };
  return places.reduce((made, at, i) => withItem(node, made.list, at, rows[i]), start);
};

/** All tensors one behind the other, with their lengths. */
const concat: ListReader = (node, inputs, builder) => {
  const list = listAt(node, inputs, 1);
  const items = list.items.map((_, at) => written(node, list, at));
  const lengths = items.map((item) => staticShapeOf(node, item)[0] ?? node.refuse('it joins scalars'));
  const joined =
    items.length === 1 ? items[0] : builder.one('Concat', items, { axis: 0 }, { name: node.name });
  return [joined, builder.constant(`${node.name}/lengths`, int64Tensor([lengths.length], lengths))];
};

/** A tensor cut into pieces of equal or different length. */
const split: ListReader = (node, inputs, builder) => {
  const x = valueAt(node, inputs, 1);
  const lengths = placesAt(node, inputs, 2);
  const sizes = builder.constant(`${node.name}/sizes`, int64Tensor([lengths.length], lengths));
  const pieces =
    lengths.length === 1 ? [x] : builder.add('Split', [x, sizes], { axis: 0 }, { name: node.name });
  const rest = staticShapeOf(node, x).slice(1);
  const items = pieces.map((piece, i) => reshapeOf(node, builder, piece, [lengths[i], ...rest]));
  return { list: { ...listAt(node, inputs, 3), items } };
};

const size: ListReader = (node, inputs, builder) =>
  scalarConstant(node, builder, 'size', 'int32', listAt(node, inputs, 1).items.length);

export const arrayReaders: Readonly<Record<string, ListReader>> = {
  TensorArrayV3: make,
  TensorArrayReadV3: read,
  TensorArrayWriteV3: write,
  TensorArrayGatherV3: gather,
  TensorArrayScatterV3: scatter,
  TensorArrayConcatV3: concat,
  TensorArraySplitV3: split,
  TensorArraySizeV3: size,
};
