import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addInner,
  addLast,
  constantNumbersOf,
  inputOf,
  int64Constant,
  numberOption,
  onReals,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

/** Beyond every axis: "to the end". */
const far = 0x7fffffff;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** The inputs of Slice after x. */
function rangeInputs(
  op: TfliteOpView,
  builder: GraphBuilder,
  ranges: readonly Range[],
  axes: readonly number[] = ranges.map((_, axis) => axis),
): Value[] {
  const list = (name: string, values: readonly number[]) => int64Constant(op, builder, name, values);
  const column = (field: keyof Range) => ranges.map((range) => range[field]);
  return [
    list('starts', column('start')),
    list('ends', column('end')),
    list('axes', axes),
    list('steps', column('step')),
  ];
}

function readSlice(op: TfliteOpView, builder: GraphBuilder): void {
  const begin = constantNumbersOf(op, 1, 'begins');
  const size = constantNumbersOf(op, 2, 'sizes');
  const ranges = begin.map((start, axis) => ({
    start,
    end: size[axis] < 0 ? far : start + size[axis],
    step: 1,
  }));
  addLast(op, builder, 'Slice', [inputOf(op, 0), ...rangeInputs(op, builder, ranges)]);
}

/**
 * Masks as in TensorFlow's strided_slice: "from the start", "to the end", "one element, and drop the axis", "a new
 * axis", "all axes in between".
 */
function readStridedSlice(op: TfliteOpView, builder: GraphBuilder): void {
  if (op.options.offset) op.refuse('its ends are offsets, which is not read');
  const x = inputOf(op, 0);
  const [begin, end, strides] = ['begins', 'ends', 'strides'].map((what, i) =>
    constantNumbersOf(op, i + 1, what),
  );
  const bit = (mask: string, entry: number) => ((numberOption(op, mask) >> entry) & 1) === 1;
  const isOwnAxis = (entry: number) => !bit('new_axis_mask', entry) && !bit('ellipsis_mask', entry);
  const named = begin.filter((_, entry) => isOwnAxis(entry)).length;
  const ranges: Range[] = [];
  const axes: number[] = [];
  const dropped: number[] = [];
  const added: number[] = [];
  let axis = 0;
  let place = 0;
  begin.forEach((first, entry) => {
    if (bit('ellipsis_mask', entry)) {
      const skipped = x.type.shape.length - named;
      axis += skipped;
      place += skipped;
      return;
    }
    if (bit('new_axis_mask', entry)) {
      added.push(place++);
      return;
    }
    axes.push(axis);
    if (bit('shrink_axis_mask', entry)) {
      dropped.push(axis);
      ranges.push({ start: first, end: first === -1 ? far : first + 1, step: 1 });
    } else {
      const step = strides[entry];
      const start = bit('begin_mask', entry) ? (step > 0 ? 0 : far) : first;
      ranges.push({ start, end: bit('end_mask', entry) ? (step > 0 ? far : -far) : end[entry], step });
      place++;
    }
    axis++;
  });
  const moves: Step[] = [];
  if (ranges.length > 0) moves.push(['Slice', rangeInputs(op, builder, ranges, axes)]);
  if (dropped.length > 0) moves.push(['Squeeze', [int64Constant(op, builder, 'dropped', dropped)]]);
  if (added.length > 0) moves.push(['Unsqueeze', [int64Constant(op, builder, 'added', added)]]);
  addInTurn(op, builder, x, moves);
}

type Step = readonly [irOp: string, further: readonly Value[]];

/** One operator after another over x; the last one makes the output. */
function addInTurn(op: TfliteOpView, builder: GraphBuilder, x: Value, steps: readonly Step[]): void {
  if (steps.length === 0) addLast(op, builder, 'Identity', [x]);
  let value = x;
  steps.forEach(([irOp, further], i) => {
    if (i === steps.length - 1) addLast(op, builder, irOp, [value, ...further]);
    else value = addInner(op, builder, irOp, [value, ...further]);
  });
}

/** Backwards along the axes given. */
function readReverse(op: TfliteOpView, builder: GraphBuilder): void {
  const axes = constantNumbersOf(op, 1, 'axes');
  const ranges = axes.map(() => ({ start: -1, end: -far, step: -1 }));
  addLast(op, builder, 'Slice', [inputOf(op, 0), ...rangeInputs(op, builder, ranges, axes)]);
}

/** Where the update is whole but for one axis, it stands between what is left of x before and after it. */
const readUpdateSlice = onReals((op, builder) => {
  const [x, update] = [inputOf(op, 0), inputOf(op, 1)];
  const [full, part] = [staticShapeOf(op, x), staticShapeOf(op, update)];
  const starts = constantNumbersOf(op, 2, 'begins');
  const moved = full.flatMap((size, axis) => (size === part[axis] ? [] : [axis]));
  if (moved.length === 0) {
    addLast(op, builder, 'Identity', [update]);
    return;
  }
  if (moved.length > 1) op.refuse(`it replaces a part of [${full.join(', ')}] along several axes`);
  const [axis] = moved;
  const start = Math.max(0, Math.min(starts[axis], full[axis] - part[axis]));
  const rest = (from: number, to: number): Value[] => {
    if (from === to) return [];
    const range = rangeInputs(op, builder, [{ start: from, end: to, step: 1 }], [axis]);
    return [addInner(op, builder, 'Slice', [x, ...range])];
  };
  const parts = [...rest(0, start), update, ...rest(start + part[axis], full[axis])];
  addLast(op, builder, 'Concat', parts, { axis });
});

export const sliceTfliteReaders = {
  SLICE: readSlice,
  STRIDED_SLICE: readStridedSlice,
  REVERSE_V2: readReverse,
  DYNAMIC_UPDATE_SLICE: readUpdateSlice,
};
