import type { Node, Value } from '../../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { innerLike, int32Vector, reshape } from '../tflite-helpers.ts';

/** Picks entries of each axis in turn by GATHER; an axis that stays as it is costs nothing. */
export function gatherByAxis(
  node: Node,
  context: TfliteWriteContext,
  x: Value,
  from: TfliteTensorRef,
  to: TfliteTensorRef,
  maps: readonly (readonly number[])[],
): void {
  const shape = [...(x.type.shape as number[])];
  const steps = maps.flatMap((map, axis) =>
    map.length === shape[axis] && map.every((index, i) => index === i) ? [] : [{ axis, map }],
  );
  if (steps.length === 0) reshape(context, from, to, node.id, shape);
  let source = from;
  steps.forEach(({ axis, map }, i) => {
    shape[axis] = map.length;
    const target = i === steps.length - 1 ? to : innerLike(context, `${node.id}/axis${axis}`, x, [...shape]);
    gather(context, source, int32Vector(context, `${node.id}/indices${axis}`, map), target, axis);
    source = target;
  });
}

/** GATHER along one axis. */
export function gather(
  context: TfliteWriteContext,
  x: TfliteTensorRef,
  indices: TfliteTensorRef,
  y: TfliteTensorRef,
  axis: number,
): void {
  context.op('GATHER', [x, indices], [y], { table: 'GatherOptions', fields: { axis, batch_dims: 0 } });
}
