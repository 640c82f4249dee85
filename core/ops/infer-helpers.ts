/** Small parts that shape inference of many operators needs. */
import type { ErrorCode } from '../contract/errors.ts';
import type { Dim, TensorType, Value } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';

/** Whatever can end inference with an error that names the node: an `InferContext`, or one like it. */
export interface Failing {
  fail(message: string, code?: ErrorCode): never;
}

/** Of open dimensions that are computed from others, longer terms help nobody. */
const longestTerm = 24;

/** A shape as people write it; `?` stands for what is a long term of open dimensions. */
export function shapeText(shape: readonly Dim[]): string {
  const isLong = (dim: Dim) => typeof dim === 'string' && dim.includes('(') && dim.length > longestTerm;
  return `[${shape.map((dim) => (isLong(dim) ? '?' : dim)).join(', ')}]`;
}

/**
 * Numpy broadcasting of shapes. An open dimension against a number above 1 gives the number; two different open
 * ones give an open one that names both.
 */
export function broadcastShapes(context: Failing, ...shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: Dim[] = new Array<Dim>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      const dim = shape[i];
      const so = result[axis];
      if (dim === 1 || dim === so) continue;
      if (so === 1) result[axis] = dim;
      else if (typeof dim === 'number' && typeof so === 'number') {
        context.fail(`shapes ${shapes.map(shapeText).join(' and ')} do not broadcast`);
      } else if (typeof dim === 'number') result[axis] = dim;
      else if (typeof so === 'string') result[axis] = `${so}|${dim}`;
    }
  }
  return result;
}

/** An axis counted from the front. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The same of an axis that may be none. @throws through `context` when it is out of [-rank, rank). */
export function normalizeAxis(context: Failing, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    context.fail(`axis ${axis} is not an axis of a tensor of rank ${rank}`);
  }
  return frontAxis(axis, rank);
}

/** The elements of a constant value as numbers; undefined when it is absent or computed at run time. */
export function constantNumbers(value: Value | null | undefined): number[] | undefined {
  return value?.constant ? toNumbers(value.constant) : undefined;
}

/** A required input. @throws through `context` when it is left out. */
export function requiredInput(
  context: Failing & { readonly inputs: readonly (Value | null)[] },
  index: number,
  name: string,
): Value {
  return context.inputs[index] ?? context.fail(`input ${name} is missing`);
}

/** Elements of a shape, an open dimension counting as 1: for cost estimates. */
export function countedElements(type: TensorType): number {
  let count = 1;
  for (const dim of type.shape) count *= typeof dim === 'number' ? dim : 1;
  return count;
}

/** Element-by-element operators keep the type of their first input. */
export function sameAsFirst(context: Failing & { readonly inputs: readonly (Value | null)[] }): TensorType[] {
  return [requiredInput(context, 0, 'x').type];
}

/** Axes counted from the front, in ascending order. @throws through `context` when one is out of range or repeated. */
export function normalizeAxes(context: Failing, axes: readonly number[], rank: number): number[] {
  const found = axes.map((axis) => normalizeAxis(context, axis, rank)).sort((a, b) => a - b);
  if (new Set(found).size !== found.length) context.fail(`axes [${axes.join(', ')}] name one axis twice`);
  return found;
}

/** Names a dimension that depends on open ones: one name per node and axis, so that equal names mean equal sizes. */
export function derivedDim(node: string, axis: number): string {
  return `${node}.${axis}`;
}
