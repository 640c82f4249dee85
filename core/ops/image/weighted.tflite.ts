/** Interpolation that LiteRT has no kernel for: each axis is multiplied by a matrix of weights. */
import type { Node } from '../../ir/graph.ts';
import { elementCount, floatTensor } from '../../ir/tensor.ts';
import { batchMatMul } from '../dense/dense.tflite.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { Composition } from '../tflite-composition.ts';
import { innerLike, numberTensor, reshape } from '../tflite-helpers.ts';
import type { ResizeAttrs } from '../vocabulary.ts';
import { interpolationWeights, isOutside, type ResizedAxis, resizedAxis } from './interpolation.ts';

const real = { type: { dtype: 'float32', shape: [] } } as const;

/** Linear or cubic interpolation with any option of ONNX's Resize; [..., from, ...] becomes [..., to, ...] axis by axis. */
export function writeWeighted(
  node: Node,
  context: TfliteWriteContext,
  attrs: ResizeAttrs,
  from: readonly number[],
  to: readonly number[],
): void {
  const composition = new Composition(node, context, from);
  const axes = from.map((size, axis) => resizedAxis(attrs, axis, size, to[axis]));
  const changed = axes.flatMap((axis, i) => (isChanged(attrs, axis) ? [i] : []));
  const outside = outsideValues(attrs, axes);
  let source = composition.x;
  const shape = [...from];
  changed.forEach((axis, step) => {
    const last = step === changed.length - 1;
    const [before, after] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))];
    const name = `${node.id}/axis_${axis}`;
    const flat = innerLike(context, `${name}/rows`, real, [before, from[axis], after]);
    reshape(context, source, flat, `${name}/rows`, [before, from[axis], after]);
    const weights = floatTensor([1, to[axis], from[axis]], interpolationWeights(attrs, axes[axis]));
    const product = innerLike(context, `${name}/product`, real, [before, to[axis], after]);
    batchMatMul(context, [context.constant(`${name}/weights`, weights), flat], product);
    shape[axis] = to[axis];
    source = last && !outside ? composition.y : innerLike(context, name, real, shape);
    reshape(context, product, source, name, shape);
  });
  if (outside) composition.step('ADD', [source, outsideTensor(node, context, outside, to)], composition.y);
  else if (changed.length === 0) reshape(context, source, composition.y, node.id, to);
  composition.finish();
}

function isChanged(attrs: ResizeAttrs, axis: ResizedAxis): boolean {
  if (axis.from !== axis.to) return true;
  const weights = interpolationWeights(attrs, axis);
  return weights.some((weight, i) => weight !== (i % (axis.from + 1) === 0 ? 1 : 0));
}

interface Outside {
  /** Whether each index of each axis lies outside. */
  readonly axes: readonly (readonly boolean[])[];
  readonly value: number;
}

/** What fills the places outside of x; undefined where that is nothing, or zeros, which the weights give already. */
function outsideValues(attrs: ResizeAttrs, axes: readonly ResizedAxis[]): Outside | undefined {
  const value = attrs.extrapolation ?? 0;
  if (value === 0) return undefined;
  const found = axes.map((axis) => Array.from({ length: axis.to }, (_, i) => isOutside(attrs, i, axis)));
  return found.flat().some((is) => is) ? { axes: found, value } : undefined;
}

function outsideTensor(
  node: Node,
  context: TfliteWriteContext,
  { axes, value }: Outside,
  to: readonly number[],
): TfliteTensorRef {
  // Axes with nothing outside are broadcast.
  const shape = axes.map((list, axis) => (list.includes(true) ? to[axis] : 1));
  const values = Array.from({ length: elementCount(shape) }, (_, flat) => {
    let rest = flat;
    let is = false;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (axes[axis][rest % shape[axis]]) is = true;
      rest = Math.floor(rest / shape[axis]);
    }
    return is ? value : 0;
  });
  return context.constant(`${node.id}/outside`, numberTensor('float32', shape, values));
}
