/** ONNX MaxPool (1, 8, 10, 12), AveragePool (1, 7, 10, 19), LpPool (2, 11, 18) and the global pools. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import {
  inner,
  input,
  int,
  integers,
  ints,
  named,
  type OnnxWriter,
  requireChannelsFirst,
  scalar,
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

/** Numbers to the power of p, which a pool sums up. */
function powered(node: OnnxNodeView, builder: GraphBuilder, p: number): Value {
  const x = input(node, 0);
  if (p === 2) return builder.one('Mul', [x, x], { activation: 'none' }, inner(node, 'squares'));
  const size = builder.one('Abs', [x], {}, inner(node, 'sizes'));
  if (p === 1) return size;
  return builder.one('Pow', [size, scalar(builder, node, 'p', x.type.dtype, p)], {}, inner(node, 'powers'));
}

function rooted(node: OnnxNodeView, builder: GraphBuilder, p: number, sum: Value): void {
  if (p === 1) builder.add('Identity', [sum], {}, named(node));
  else if (p === 2) builder.add('Sqrt', [sum], {}, named(node));
  else builder.add('Pow', [sum, scalar(builder, node, 'root', sum.type.dtype, 1 / p)], {}, named(node));
}

/** (Σ |x|ᵖ)¹ᐟᵖ over a window: the mean of powers, padding counted in, times the size of the window. */
const readLpPool: OnnxReader = (node, builder) => {
  const p = node.int('p', 2);
  const pool = readPool(node);
  if (pool.ceilMode) node.refuse('ceil_mode = 1 is not supported; 0 is');
  if (node.opset < 19 && pool.dilations.some((dilation) => dilation !== 1)) {
    node.refuse(`dilations = [${pool.dilations.join(', ')}] need opset 19`);
  }
  const attrs: AveragePoolAttrs = { ...pool, countIncludePad: true };
  const mean = builder.one('AveragePool', [powered(node, builder, p)], { ...attrs }, inner(node, 'mean'));
  const count = scalar(builder, node, 'count', mean.type.dtype, elementCount(pool.kernelShape));
  const sum = builder.one('Mul', [mean, count], { activation: 'none' }, inner(node, 'sum'));
  rooted(node, builder, p, sum);
};

const readGlobalLpPool: OnnxReader = (node, builder) => {
  const p = node.int('p', 2);
  const powers = powered(node, builder, p);
  const axes = powers.type.shape.map((_, axis) => axis).slice(2);
  const all = integers(builder, node, 'axes', axes);
  rooted(node, builder, p, builder.one('ReduceSum', [powers, all], { keepDims: true }, inner(node, 'sum')));
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
    LpPool: since(2, readLpPool),
    GlobalLpPool: since(2, readGlobalLpPool),
  },
  write: { MaxPool: writePool('MaxPool'), AveragePool: writePool('AveragePool') },
} satisfies OnnxFacet;
