import type { Node } from '../../ir/graph.ts';
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
  outputTensor,
  shapeOf,
} from '../tflite-helpers.ts';
import { tensorTypeCode } from '../tflite-types.ts';

function writeCumSum(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'CumSum');
  const rank = inputValue(node, context, 0).type.shape.length;
  const axis = frontAxis(constantInput(node, context, 1)![0], rank);
  context.op(
    'CUMSUM',
    [inputTensor(node, context, 0), int32Scalar(context, `${node.id}/axis`, axis)],
    [outputTensor(node, context)],
    { table: 'CumsumOptions', fields: { exclusive: attrs.exclusive, reverse: attrs.reverse } },
  );
}

/**
 * TOPK_V2 gives the largest of the last axis, with int32 indices. The smallest are the largest of −x; another axis is
 * moved to the end and back.
 */
function writeTopK(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'TopK');
  const x = inputValue(node, context, 0);
  const shape = shapeOf(x, context);
  const axis = frontAxis(attrs.axis, shape.length);
  const perm = shape.map((_, i) => i);
  [perm[axis], perm[shape.length - 1]] = [shape.length - 1, axis];
  const order = int32Vector(context, `${node.id}/perm`, perm);
  const isLast = axis === shape.length - 1;
  const turn = (from: TfliteTensorRef, to: TfliteTensorRef) => context.op('TRANSPOSE', [from, order], [to]);
  let source = context.tensor(x.id);
  if (!attrs.largest) {
    needFloat(node, context);
    const opposite = innerLike(context, `${node.id}/opposite`, x);
    context.op('NEG', [source], [opposite]);
    source = opposite;
  }
  if (!isLast) {
    const turned = innerLike(
      context,
      `${node.id}/turned`,
      x,
      perm.map((i) => shape[i]),
    );
    turn(source, turned);
    source = turned;
  }
  const [values, indices] = node.outputs.map((id) => context.value(id));
  const kept = perm.map((i) => shapeOf(values, context)[i]);
  const best = innerLike(context, `${node.id}/best`, { type: values.type, quant: x.quant }, kept);
  const where = context.inner(`${node.id}/where`, { dtype: 'int32', shape: kept });
  const k = int32Scalar(context, `${node.id}/k`, kept[kept.length - 1]);
  const direct = isLast && attrs.largest;
  context.op('TOPK_V2', [source, k], [direct ? context.tensor(values.id) : best, where]);
  if (!direct) finishValues(node, context, best, isLast ? undefined : turn);
  const back = isLast
    ? where
    : context.inner(`${node.id}/where_back`, { dtype: 'int32', shape: indices.type.shape });
  if (!isLast) turn(where, back);
  context.op('CAST', [back], [context.tensor(indices.id)], {
    table: 'CastOptions',
    fields: { in_data_type: tensorTypeCode('int32'), out_data_type: tensorTypeCode(indices.type.dtype) },
  });
}

/** Undoes what was done to x. */
function finishValues(
  node: Node,
  context: TfliteWriteContext,
  best: TfliteTensorRef,
  turn: ((from: TfliteTensorRef, to: TfliteTensorRef) => void) | undefined,
): void {
  const { largest } = attrsOf(node, 'TopK');
  const y = outputTensor(node, context);
  let from = best;
  if (turn) {
    const to = largest ? y : innerLike(context, `${node.id}/back`, context.value(node.outputs[0]));
    turn(best, to);
    from = to;
  }
  if (!largest) context.op('NEG', [from], [y]);
}

export const orderTfliteWriters = { CumSum: writeCumSum, TopK: writeTopK };
