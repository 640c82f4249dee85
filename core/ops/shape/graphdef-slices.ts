/** TensorFlow's slices. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { GraphDefNodeView, GraphDefReader } from '../facets.ts';
import { axesOf, constantNumbersOf, innerOf, inputOf, int64Constant, resultOf } from '../graphdef-helpers.ts';

/** Beyond every axis: "to the end". */
const far = 0x7fffffff;

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function sliceInputs(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  ranges: readonly Range[],
): (Value | null)[] {
  const list = (name: string, pick: (range: Range) => number) =>
    int64Constant(node, builder, name, ranges.map(pick));
  return [
    inputOf(node, 0),
    list('starts', ({ start }) => start),
    list('ends', ({ end }) => end),
    list('axes', ({ axis }) => axis),
    list('steps', ({ step }) => step),
  ];
}

const readSlice: GraphDefReader = (node, builder) => {
  const begin = constantNumbersOf(node, 1, 'begins');
  const size = constantNumbersOf(node, 2, 'sizes');
  const ranges = begin.map((start, axis) => ({
    axis,
    start,
    end: size[axis] < 0 ? far : start + size[axis],
    step: 1,
  }));
  return [resultOf(node, builder, 'Slice', sliceInputs(node, builder, ranges))];
};

/**
 * Entries of the lists stand for axes in order; masks say what else they mean: "from the start", "to the end", "one
 * element, and drop the axis", "a new axis", "as many whole axes as are left" (tf.strided_slice).
 */
const readStridedSlice: GraphDefReader = (node, builder) => {
  const rank = inputOf(node, 0).type.shape.length;
  const [begin, end, strides] = ['begins', 'ends', 'strides'].map((what, i) =>
    constantNumbersOf(node, i + 1, what),
  );
  const masks = new Map(
    ['begin', 'end', 'ellipsis', 'new_axis', 'shrink_axis'].map((name) => [
      name,
      node.int(`${name}_mask`, 0),
    ]),
  );
  const bit = (mask: string, entry: number) => ((masks.get(mask)! >> entry) & 1) === 1;
  const isNew = (entry: number) => bit('new_axis', entry) && !bit('ellipsis', entry);
  const taken = begin.filter((_, entry) => !isNew(entry) && !bit('ellipsis', entry)).length;
  const ranges: Range[] = [];
  const dropped: number[] = [];
  const added: number[] = [];
  let axis = 0;
  let place = 0;
  begin.forEach((first, entry) => {
    if (bit('ellipsis', entry)) {
      axis += rank - taken;
      place += rank - taken;
    } else if (isNew(entry)) {
      added.push(place++);
    } else if (bit('shrink_axis', entry)) {
      ranges.push({ axis, start: first, end: first === -1 ? far : first + 1, step: 1 });
      dropped.push(axis++);
    } else {
      const step = strides[entry];
      const start = bit('begin', entry) ? (step > 0 ? 0 : far) : first;
      const stop = bit('end', entry) ? (step > 0 ? far : -far) : end[entry];
      ranges.push({ axis: axis++, start, end: stop, step });
      place++;
    }
  });
  if (axis > rank) return node.refuse(`it slices ${axis} axes of a tensor of ${rank}`);
  const inputs = sliceInputs(node, builder, ranges);
  if (dropped.length === 0 && added.length === 0) return [resultOf(node, builder, 'Slice', inputs)];
  const slice = ranges.length ? innerOf(node, builder, 'Slice', inputs) : inputOf(node, 0);
  const gone = dropped.length > 0 ? int64Constant(node, builder, 'dropped', dropped) : null;
  if (added.length === 0) return [resultOf(node, builder, 'Squeeze', [slice, gone])];
  const rest = gone ? innerOf(node, builder, 'Squeeze', [slice, gone]) : slice;
  return [resultOf(node, builder, 'Unsqueeze', [rest, int64Constant(node, builder, 'added', added)])];
};

const readReverse: GraphDefReader = (node, builder) => {
  const ranges = axesOf(node, 1).map((axis) => ({ axis, start: far, end: -far, step: -1 }));
  if (ranges.length === 0) return [inputOf(node, 0)];
  return [resultOf(node, builder, 'Slice', sliceInputs(node, builder, ranges))];
};

export const sliceReaders = { Slice: readSlice, StridedSlice: readStridedSlice, ReverseV2: readReverse };
