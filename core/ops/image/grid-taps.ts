/**
 * Which elements GridSample reads where the grid is known, and how much each counts (onnx, docs/Operators.md,
 * "GridSample"; the order of rounding, clamping and reflecting is that of onnxruntime's kernel).
 */
import { elementCount } from '../../ir/tensor.ts';
import { roundHalfEven } from '../../kernels/rounding.ts';
import type { GridSampleAttrs } from '../vocabulary.ts';

/** One of the elements that are added up for each point. */
export interface GridTap {
  /** Place in x as [N × space, C], by point. */
  readonly offsets: Int32Array;
  readonly weights: Float32Array;
}

const f = Math.fround;
const cubicA = -0.75;

/** What reaches beyond an interval, mirrored at its ends as often as it takes. */
function reflected(x: number, low: number, high: number): number {
  const range = high - low;
  const over = x < low ? low - x : x > high ? x - high : 0;
  if (over === 0) return x;
  const turns = Math.trunc(over / range);
  const rest = over - turns * range;
  return x < low === (turns % 2 === 0) ? low + rest : high - rest;
}

/** The cubic convolution kernel at the four elements around a position. */
function cubicWeights(t: number): number[] {
  const near = (d: number) => ((cubicA + 2) * d - (cubicA + 3)) * d * d + 1;
  const far = (d: number) => ((cubicA * d - 5 * cubicA) * d + 8 * cubicA) * d - 4 * cubicA;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** Along one axis: element and weight, the element −1 where it counts for nothing. */
type AxisTaps = readonly (readonly [index: number, weight: number])[];

function axisTaps(attrs: GridSampleAttrs, position: number, size: number): AxisTaps {
  const [low, high] = attrs.alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const place = (index: number): number => {
    if (index >= 0 && index < size) return index;
    if (attrs.padding === 'zeros') return -1;
    const inside = attrs.padding === 'border' ? index : Math.trunc(reflected(index, low, high));
    return Math.min(Math.max(inside, 0), size - 1);
  };
  if (attrs.mode === 'nearest') return [[place(position), 1]];
  const first = Math.floor(position);
  const t = f(position - first);
  const weights = attrs.mode === 'linear' ? [f(first + 1 - position), t] : cubicWeights(t);
  const start = attrs.mode === 'linear' ? first : first - 1;
  return weights.map((weight, i) => [place(start + i), weight] as const);
}

/** Where a point of the grid lies, axis by axis, in elements of x. */
function positionsOf(attrs: GridSampleAttrs, point: readonly number[], space: readonly number[]): number[] {
  const raw = point.map((g, axis) => {
    const size = space[axis];
    const at = attrs.alignCorners ? f(f(f(g + 1) / 2) * (size - 1)) : f(f(f(f(g + 1) * size) - 1) / 2);
    return attrs.mode === 'nearest' ? roundHalfEven(at) : at;
  });
  const bounds = space.map((size) => (attrs.alignCorners ? [0, size - 1] : [-0.5, size - 0.5]));
  const isInside = raw.every((at, axis) => at >= bounds[axis][0] && at <= bounds[axis][1]);
  // What lies beyond a border is settled for each element that is read.
  if (isInside || attrs.padding !== 'reflection') return raw;
  return raw.map((at, axis) => f(reflected(at, bounds[axis][0], bounds[axis][1])));
}

/**
 * @param space sizes of the spatial axes of x.
 * @param grid `[N, …points, axes]`, of each point the last axis of x first.
 * @param batch N.
 */
export function gridTaps(
  attrs: GridSampleAttrs,
  space: readonly number[],
  grid: Float32Array,
  batch: number,
): GridTap[] {
  const axes = space.length;
  const count = grid.length / axes;
  const perAxis = attrs.mode === 'nearest' ? 1 : attrs.mode === 'linear' ? 2 : 4;
  const taps = Array.from(
    { length: perAxis ** axes },
    (): GridTap => ({ offsets: new Int32Array(count), weights: new Float32Array(count) }),
  );
  const plane = elementCount(space);
  for (let at = 0; at < count; at++) {
    const point = Array.from({ length: axes }, (_, axis) => grid[at * axes + axes - 1 - axis]);
    const found = positionsOf(attrs, point, space).map((position, axis) =>
      axisTaps(attrs, position, space[axis]),
    );
    const image = Math.floor(at / (count / batch)) * plane;
    taps.forEach(({ offsets, weights }, k) => {
      let [rest, offset, weight] = [k, 0, 1];
      for (let axis = 0; axis < axes; axis++) {
        const [index, share] = found[axis][rest % perAxis];
        rest = Math.floor(rest / perAxis);
        offset = offset * space[axis] + Math.max(index, 0);
        weight *= index < 0 ? 0 : share;
      }
      offsets[at] = image + offset;
      weights[at] = weight;
    });
  }
  return taps.filter(({ weights }) => weights.some((weight) => weight !== 0));
}
