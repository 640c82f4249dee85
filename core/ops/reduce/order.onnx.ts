/** ONNX CumSum (11, 14) and TopK (1: k as attribute, 10, 11: smallest too). */
import type { OnnxReader } from '../facets.ts';
import { input, int, integers, named, type OnnxWriter } from '../onnx-helpers.ts';

const readCumSum: OnnxReader = (node, builder) => {
  const attrs = { exclusive: node.int('exclusive', 0) !== 0, reverse: node.int('reverse', 0) !== 0 };
  builder.add('CumSum', [input(node, 0), input(node, 1)], attrs, named(node));
};

const readTopK: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const axis = node.int('axis', -1);
  const attribute = node.opset < 10 ? node.int('k', 0) : undefined;
  const k = attribute === undefined ? input(node, 1) : integers(builder, node, 'k', [attribute]);
  // Unsorted results may come in any order, the sorted one included.
  node.int('sorted', 1);
  const attrs = { axis: axis < 0 ? axis + x.type.shape.length : axis, largest: node.int('largest', 1) !== 0 };
  builder.add('TopK', [x, k], attrs, named(node));
};

export const orderReaders = { CumSum: { 11: readCumSum }, TopK: { 1: readTopK } };

export const orderWriters = {
  CumSum: (node, context) =>
    context.node('CumSum', node.inputs, node.outputs, {
      exclusive: int(node.attrs.exclusive === true),
      reverse: int(node.attrs.reverse === true),
    }),
  TopK: (node, context) =>
    context.node('TopK', node.inputs, node.outputs, {
      axis: int(node.attrs.axis as number),
      largest: int(node.attrs.largest === true),
    }),
} satisfies Record<string, OnnxWriter>;
