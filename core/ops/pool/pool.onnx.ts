/** ONNX MaxPool (1, 8, 10, 12), AveragePool (1, 7, 10, 19) and the global pools. */
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  input,
  int,
  integers,
  ints,
  named,
  type OnnxWriter,
  requireChannelsFirst,
  since,
  writeActivated,
} from '../onnx-helpers.ts';
import { readSpatial, writeSpatial } from '../onnx-spatial.ts';
import type { AveragePoolAttrs, MaxPoolAttrs } from '../vocabulary.ts';

function readPool(node: OnnxNodeView): MaxPoolAttrs {
  const kernelShape = node.ints('kernel_shape') ?? node.refuse('it has no kernel_shape');
  return {
    ...readSpatial(node, input(node, 0), kernelShape),
    kernelShape,
    ceilMode: node.int('ceil_mode', 0) !== 0,
    activation: 'none',
  };
}

const readMaxPool: OnnxReader = (node, builder) => {
  // Only the order of the indices depends on it, and those are not supported.
  node.int('storage_order', 0);
  builder.add(
    'MaxPool',
    [input(node, 0)],
    { ...readPool(node) },
    { name: node.name, outputs: node.outputs.slice(0, 1) },
  );
};

const readAveragePool: OnnxReader = (node, builder) => {
  const attrs: AveragePoolAttrs = {
    ...readPool(node),
    countIncludePad: node.int('count_include_pad', 0) !== 0,
  };
  builder.add('AveragePool', [input(node, 0)], { ...attrs }, named(node));
};

function readGlobal(reduction: string): OnnxReader {
  return (node, builder) => {
    const x = input(node, 0);
    const axes = x.type.shape.map((_, axis) => axis).slice(2);
    builder.add(reduction, [x, integers(builder, node, 'axes', axes)], { keepDims: true }, named(node));
  };
}

function writePool(opType: string): OnnxWriter {
  return (node, context) => {
    requireChannelsFirst(node, context);
    const attrs = node.attrs as unknown as AveragePoolAttrs;
    const { dilations, ...spatial } = writeSpatial(attrs);
    const dilated = attrs.dilations.some((dilation) => dilation !== 1);
    const average = opType === 'AveragePool';
    if (dilated && average && context.opset < 19) context.refuse('dilated average pooling needs opset 19');
    writeActivated(node, context, (output) =>
      context.node(opType, node.inputs, [output], {
        ...spatial,
        ...(dilated && { dilations }),
        kernel_shape: ints(attrs.kernelShape),
        ceil_mode: int(attrs.ceilMode),
        ...(average && { count_include_pad: int(attrs.countIncludePad) }),
      }),
    );
  };
}

export const poolOnnx = {
  read: {
    MaxPool: since(1, readMaxPool),
    AveragePool: since(1, readAveragePool),
    GlobalAveragePool: since(1, readGlobal('ReduceMean')),
    GlobalMaxPool: since(1, readGlobal('ReduceMax')),
  },
  write: { MaxPool: writePool('MaxPool'), AveragePool: writePool('AveragePool') },
} satisfies OnnxFacet;
