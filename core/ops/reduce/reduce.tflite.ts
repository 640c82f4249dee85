import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteWriteContext } from '../facets.ts';
import { frontAxis } from '../infer-helpers.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputValue,
  int32Scalar,
  int32Vector,
  outputTensor,
  outputValue,
  outputWithQuantOf,
  reshape,
  shapeOf,
  type TfliteWriter,
} from '../tflite-helpers.ts';
import { tensorTypeCode } from '../tflite-types.ts';
import { orderTfliteWriters } from './order.tflite.ts';
import { reduceTfliteReaders } from './reduce.tflite-read.ts';

/** `picks`: the result is one of the inputs, so the kernel compares stored numbers and does not rescale. */
function reduction(builtin: string, picks: boolean): TfliteWriter {
  return (node, context) => {
    const x = inputValue(node, context, 0);
    const rank = x.type.shape.length;
    const given = constantInput(node, context, 1) ?? x.type.shape.map((_, axis) => axis);
    const axes = [...new Set(given.map((axis) => frontAxis(axis, rank)))].sort((a, b) => a - b);
    const { ref, finish } = picks
      ? outputWithQuantOf(x, node, context)
      : { ref: outputTensor(node, context), finish: () => {} };
    context.op(builtin, [context.tensor(x.id), int32Vector(context, `${node.id}/axes`, axes)], [ref], {
      table: 'ReducerOptions',
      fields: { keep_dims: node.attrs.keepDims },
    });
    finish();
  };
}

/** The file's operator drops the axis; keepDims puts it back by RESHAPE. */
function argExtremum(builtin: 'ARG_MAX' | 'ARG_MIN'): TfliteWriter {
  return (node: Node, context: TfliteWriteContext) => {
    const attrs = attrsOf(node, 'ArgMax');
    const x = inputValue(node, context, 0);
    const y = outputValue(node, context);
    const shape = shapeOf(x, context);
    const axis = frontAxis(attrs.axis, shape.length);
    const dropped = shape.filter((_, i) => i !== axis);
    const to = attrs.keepDims
      ? innerLike(context, `${node.id}/dropped`, y, dropped)
      : outputTensor(node, context);
    context.op(builtin, [context.tensor(x.id), int32Scalar(context, `${node.id}/axis`, axis)], [to], {
      table: builtin === 'ARG_MAX' ? 'ArgMaxOptions' : 'ArgMinOptions',
      fields: { output_type: tensorTypeCode(y.type.dtype) },
    });
    if (attrs.keepDims) reshape(context, to, outputTensor(node, context), node.id, shapeOf(y, context));
  };
}

export const reduceTflite = {
  write: {
    ReduceMean: reduction('MEAN', false),
    ReduceSum: reduction('SUM', false),
    ReduceMax: reduction('REDUCE_MAX', true),
    ReduceMin: reduction('REDUCE_MIN', true),
    ReduceProd: reduction('REDUCE_PROD', false),
    ArgMax: argExtremum('ARG_MAX'),
    ArgMin: argExtremum('ARG_MIN'),
    ...orderTfliteWriters,
  },
  read: reduceTfliteReaders,
} satisfies TfliteFacet;
