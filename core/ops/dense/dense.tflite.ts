import { isFloat } from '../../ir/dtype.ts';
import type { Node } from '../../ir/graph.ts';
import type { TfliteFacet, TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { biasTensor } from '../tflite-bias.ts';
import {
  activationCodes,
  attrsOf,
  innerLike,
  inputTensor,
  inputValue,
  needFloat,
  outputTensor,
  outputValue,
  reshape,
  scalarLike,
  shapeOf,
} from '../tflite-helpers.ts';
import { denseTfliteReaders } from './dense.tflite-read.ts';

function writeFullyConnected(node: Node, context: TfliteWriteContext): void {
  const attrs = attrsOf(node, 'FullyConnected');
  const x = inputValue(node, context, 0);
  const weights = inputValue(node, context, 1);
  const isHybrid = isFloat(x.type.dtype) && weights.quant !== undefined && weights.type.dtype !== 'float32';
  context.op(
    'FULLY_CONNECTED',
    [
      context.tensor(x.id),
      context.tensor(weights.id),
      biasTensor(node, context, x, weights, 0, weights.type.shape[0] as number),
    ],
    [outputTensor(node, context)],
    {
      table: 'FullyConnectedOptions',
      fields: {
        fused_activation_function: activationCodes[attrs.activation],
        keep_num_dims: x.type.shape.length !== 2,
        asymmetric_quantize_inputs: isHybrid,
      },
    },
  );
}

export function batchMatMul(
  context: TfliteWriteContext,
  inputs: readonly [TfliteTensorRef, TfliteTensorRef],
  output: TfliteTensorRef,
  transpose: { a?: boolean; b?: boolean; hybrid?: boolean } = {},
): void {
  context.op('BATCH_MATMUL', inputs, [output], {
    table: 'BatchMatMulOptions',
    fields: {
      adj_x: transpose.a ?? false,
      adj_y: transpose.b ?? false,
      asymmetric_quantize_inputs: transpose.hybrid ?? false,
    },
  });
}

/** numpy's product: a vector on the left is a row, on the right a column, and leaves the result again. */
function writeMatMul(node: Node, context: TfliteWriteContext): void {
  const [a, b, y] = [inputValue(node, context, 0), inputValue(node, context, 1), outputValue(node, context)];
  const shapes = [a, b, y].map((value) => shapeOf(value, context));
  const matrix = (value: typeof a, shape: number[], isLeft: boolean): TfliteTensorRef => {
    if (shape.length > 1) return context.tensor(value.id);
    const wide = isLeft ? [1, shape[0]] : [shape[0], 1];
    const inner = innerLike(context, `${node.id}/${isLeft ? 'row' : 'column'}`, value, wide);
    reshape(context, context.tensor(value.id), inner, `${node.id}/${isLeft ? 'row' : 'column'}`, wide);
    return inner;
  };
  const left = matrix(a, shapes[0], true);
  const right = matrix(b, shapes[1], false);
  const hybrid = isFloat(a.type.dtype) && !isFloat(b.type.dtype);
  if (shapes[0].length > 1 && shapes[1].length > 1) {
    batchMatMul(context, [left, right], outputTensor(node, context), { hybrid });
    return;
  }
  const rows = shapes[0].length > 1 ? shapes[0].slice(0, -1) : [...shapes[1].slice(0, -2), 1];
  const full = [...rows, shapes[1].length > 1 ? shapes[1][shapes[1].length - 1] : 1];
  const inner = innerLike(context, `${node.id}/matrix`, y, full);
  batchMatMul(context, [left, right], inner, { hybrid });
  reshape(context, inner, outputTensor(node, context), node.id, shapes[2]);
}

/** alpha × A × B + beta × C with B computed while the model runs; a constant B became FullyConnected before. */
function writeGemm(node: Node, context: TfliteWriteContext): void {
  needFloat(node, context);
  const attrs = attrsOf(node, 'Gemm');
  const y = outputValue(node, context);
  const hasC = node.inputs[2] !== null && node.inputs[2] !== undefined;
  const last = outputTensor(node, context);
  const scales = attrs.alpha !== 1;
  const product = scales || hasC ? innerLike(context, `${node.id}/product`, y) : last;
  batchMatMul(context, [inputTensor(node, context, 0), inputTensor(node, context, 1)], product, {
    a: attrs.transA,
    b: attrs.transB,
  });
  const times = (from: TfliteTensorRef, to: TfliteTensorRef, factor: number, name: string) =>
    context.op('MUL', [from, scalarLike(y, context, `${node.id}/${name}`, factor)], [to], {
      table: 'MulOptions',
      fields: {},
    });
  let sum = product;
  if (scales) {
    sum = hasC ? innerLike(context, `${node.id}/scaled`, y) : last;
    times(product, sum, attrs.alpha, 'alpha');
  }
  if (!hasC) return;
  let added = inputTensor(node, context, 2);
  if (attrs.beta !== 1) {
    const weighted = innerLike(context, `${node.id}/weighted`, inputValue(node, context, 2));
    times(added, weighted, attrs.beta, 'beta');
    added = weighted;
  }
  context.op('ADD', [sum, added], [last], { table: 'AddOptions', fields: {} });
}

export const denseTflite = {
  write: { FullyConnected: writeFullyConnected, MatMul: writeMatMul, Gemm: writeGemm },
  read: denseTfliteReaders,
} satisfies TfliteFacet;
