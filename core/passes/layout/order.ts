/** Physical axis orders of values, and what reshapes and transposes do to them. */
import { elementCount } from '../../ir/tensor.ts';

/**
 * How a value lies in memory against its own axes. Physical axis i is the value's axis `perm[i]`. With `inner`, the
 * elements along one axis are permuted too: that axis counts as `dims`, and they lie in the order `perm`. A flattened
 * feature map is like that: [N, C·H·W] whose features lie as H, W, C.
 */
export interface Order {
  readonly perm: readonly number[];
  readonly inner?: {
    readonly axis: number;
    readonly dims: readonly number[];
    readonly perm: readonly number[];
  };
}

export function sourceOrder(rank: number): Order {
  return { perm: Array.from({ length: rank }, (_, axis) => axis) };
}

/** From channels first to channels last: [0, 2, …, 1]. */
export function channelsLastPerm(rank: number): number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
}

/** From channels last to channels first: [0, rank − 1, 1, …]. */
export function channelsFirstPerm(rank: number): number[] {
  return [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

export function isIdentityPerm(perm: readonly number[]): boolean {
  return perm.every((axis, i) => axis === i);
}

export function isSourceOrder(order: Order): boolean {
  return !order.inner && isIdentityPerm(order.perm);
}

export function sameOrder(a: Order, b: Order): boolean {
  if (a === b) return true;
  if (a.inner || b.inner) return orderKey(a) === orderKey(b);
  return sameList(a.perm, b.perm);
}

export function orderKey({ perm, inner }: Order): string {
  return inner ? `${perm}|${inner.axis}:${inner.dims}:${inner.perm}` : String(perm);
}

/** perm with `permute(permute(t, perm), inverse(perm)) = t`. */
export function inversePerm(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length);
  perm.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return inverse;
}

/** The shape as it lies in memory. */
export function physicalShape<T>(shape: readonly T[], order: Order): T[] {
  return order.perm.map((axis) => shape[axis]);
}

/** The smallest parts that an order moves: `dims` in the value's axis order, `perm` their order in memory. */
interface Parts {
  readonly dims: readonly number[];
  readonly perm: readonly number[];
}

function partsOf(shape: readonly number[], order: Order, split = order.inner): Parts {
  if (!split) return { dims: shape, perm: order.perm };
  const dims = [...shape.slice(0, split.axis), ...split.dims, ...shape.slice(split.axis + 1)];
  const count = split.dims.length;
  const within = order.inner ? order.inner.perm : split.dims.map((_, i) => i);
  const perm = order.perm.flatMap((axis) => {
    if (axis === split.axis) return within.map((i) => split.axis + i);
    return [axis < split.axis ? axis : axis + count - 1];
  });
  return { dims, perm };
}

export type ConversionStep =
  | { op: 'Reshape'; shape: readonly number[] }
  | { op: 'Transpose'; perm: readonly number[] };

function sameSplit(a: Order, b: Order): boolean {
  return !a.inner || !b.inner || (a.inner.axis === b.inner.axis && sameList(a.inner.dims, b.inner.dims));
}

/** Operators that take a value of this shape from one order to another, working on memory as it lies. */
export function conversionSteps(shape: readonly number[], from: Order, to: Order): ConversionStep[] {
  if (sameOrder(from, to)) return [];
  if (!sameSplit(from, to)) {
    const middle = sourceOrder(shape.length);
    return [...conversionSteps(shape, from, middle), ...conversionSteps(shape, middle, to)];
  }
  const split = from.inner ?? to.inner;
  const a = partsOf(shape, from, split);
  const b = partsOf(shape, to, split);
  const real = (part: number) => a.dims[part] !== 1;
  const steps: ConversionStep[] = [];
  let lying = physicalShape(shape, from);
  const reshapeTo = (wanted: readonly number[]) => {
    if (!sameList(lying, wanted)) steps.push({ op: 'Reshape', shape: wanted });
    lying = [...wanted];
  };
  if (!sameList(a.perm.filter(real), b.perm.filter(real))) {
    reshapeTo(a.perm.map((part) => a.dims[part]));
    const perm = b.perm.map((part) => a.perm.indexOf(part));
    steps.push({ op: 'Transpose', perm });
    lying = perm.map((i) => lying[i]);
  }
  reshapeTo(physicalShape(shape, to));
  return steps;
}

/** Cost of a conversion: elements moved, and a little for each operator itself. */
export function conversionCost(shape: readonly number[], from: Order, to: Order): number {
  let cost = 0;
  for (const { op } of conversionSteps(shape, from, to))
    cost += op === 'Reshape' ? 16 : elementCount(shape) + 64;
  return cost;
}

/** Order of `Transpose(x, perm)` when it lies in memory as x does. */
export function transposedOrder(order: Order, perm: readonly number[]): Order | undefined {
  if (order.inner) return undefined;
  const inverse = inversePerm(perm);
  return { perm: order.perm.map((axis) => inverse[axis]) };
}

/** Order of a reduction's result when axes are dropped from memory. */
export function droppedOrder(order: Order, axes: readonly number[]): Order {
  const kept = Array.from({ length: order.perm.length }, (_, axis) => axis).filter(
    (axis) => !axes.includes(axis),
  );
  const perm = order.perm.filter((axis) => !axes.includes(axis)).map((axis) => kept.indexOf(axis));
  const inner = order.inner && kept.includes(order.inner.axis) ? order.inner : undefined;
  return inner ? { perm, inner: { ...inner, axis: kept.indexOf(inner.axis) } } : { perm };
}

interface Group {
  readonly parts: number[];
  readonly axes: number[];
}

/** Runs of parts and runs of axes with equal products, as short as can be; entries of size 1 are left out. */
function groupsOf(dims: readonly number[], shape: readonly number[]): Group[] | undefined {
  const parts = dims.map((_, i) => i).filter((i) => dims[i] !== 1);
  const axes = shape.map((_, i) => i).filter((i) => shape[i] !== 1);
  const groups: Group[] = [];
  let p = 0;
  let a = 0;
  while (p < parts.length && a < axes.length) {
    const group: Group = { parts: [parts[p]], axes: [axes[a]] };
    let left = dims[parts[p++]];
    let right = shape[axes[a++]];
    while (left !== right) {
      if (left < right) {
        if (p >= parts.length) return undefined;
        group.parts.push(parts[p]);
        left *= dims[parts[p++]];
      } else {
        if (a >= axes.length) return undefined;
        group.axes.push(axes[a]);
        right *= shape[axes[a++]];
      }
    }
    groups.push(group);
  }
  return p === parts.length && a === axes.length ? groups : undefined;
}

/** Axes of size 1 take the place after the axis that they follow. */
function withUnitAxes(perm: readonly number[], shape: readonly number[]): number[] {
  const real = perm.filter((axis) => shape[axis] !== 1);
  if (real.every((axis, i) => i === 0 || real[i - 1] < axis)) return shape.map((_, axis) => axis);
  const result = [...real];
  shape.forEach((dim, axis) => {
    if (dim === 1) result.splice(axis === 0 ? 0 : result.indexOf(axis - 1) + 1, 0, axis);
  });
  return result;
}

/** The usual order, when it differs from this one in axes of size 1 only. */
function tidied(order: Order, shape: readonly number[]): Order {
  const rank = shape.length;
  if (order.inner || rank < 3) return order;
  const usual = [sourceOrder(rank), { perm: channelsLastPerm(rank) }, { perm: channelsFirstPerm(rank) }];
  const real = (axis: number) => shape[axis] !== 1;
  return usual.find(({ perm }) => sameList(perm.filter(real), order.perm.filter(real))) ?? order;
}

/**
 * Order of `Reshape(x, to)` when memory stays as it is: axes that are split or merged must lie together. Merged axes
 * that lie in another order than x's own give an order with `inner`.
 * @returns undefined when the result is no order of the reshaped value.
 */
export function reshapedOrder(
  from: readonly number[],
  order: Order,
  to: readonly number[],
): Order | undefined {
  if (from.includes(0) || to.includes(0)) return undefined;
  const { dims, perm } = partsOf(from, order);
  const groups = groupsOf(dims, to);
  if (!groups) return undefined;
  const groupOf = new Map(groups.flatMap((group) => group.parts.map((part) => [part, group] as const)));
  const seen = new Set<Group>();
  const axes: number[] = [];
  let inner: Order['inner'];
  const lying = perm.filter((part) => dims[part] !== 1);
  for (let i = 0; i < lying.length; ) {
    const group = groupOf.get(lying[i])!;
    if (seen.has(group)) return undefined;
    seen.add(group);
    const run = lying.slice(i, i + group.parts.length);
    if (!run.every((part) => group.parts.includes(part))) return undefined;
    if (!sameList(run, group.parts)) {
      if (group.axes.length !== 1 || inner) return undefined;
      inner = {
        axis: group.axes[0],
        dims: group.parts.map((part) => dims[part]),
        perm: run.map((part) => group.parts.indexOf(part)),
      };
    }
    axes.push(...group.axes);
    i += run.length;
  }
  const full = withUnitAxes(axes, to);
  if (!inner) return tidied({ perm: full }, to);
  return isIdentityPerm(full) ? { perm: full, inner } : undefined;
}
