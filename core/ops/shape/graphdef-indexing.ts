/** TensorFlow operators that read or write by index. */
import type { GraphDefReader } from '../facets.ts';
import { tensorFrom } from '../fold-helpers.ts';
import {
  asInt64,
  axisOf,
  constantNumbersOf,
  innerOf,
  inputOf,
  int64Constant,
  resultOf,
  scalarConstant,
} from '../graphdef-helpers.ts';

/** Per batch, each index is a tuple of one: what GatherND takes. */
const readGather: GraphDefReader = (node, builder) => {
  const [x, picked] = [inputOf(node, 0), inputOf(node, 1)];
  const given = node.inputs.length > 2 ? constantNumbersOf(node, 2, 'axis')[0] : 0;
  const axis = axisOf(node, given, x.type.shape.length);
  const batchDims = axisOf(node, node.int('batch_dims', 0), picked.type.shape.length + 1);
  if (batchDims === 0) return [resultOf(node, builder, 'Gather', [x, picked], { axis })];
  if (batchDims !== axis) return node.refuse(`it gathers axis ${axis} per ${batchDims} batch axes`);
  const last = int64Constant(node, builder, 'last', [picked.type.shape.length]);
  const tuples = innerOf(node, builder, 'Unsqueeze', [asInt64(node, builder, picked), last]);
  return [resultOf(node, builder, 'GatherND', [x, tuples], { batchDims })];
};

const readGatherNd: GraphDefReader = (node, builder) => {
  const picked = asInt64(node, builder, inputOf(node, 1));
  return [
    resultOf(node, builder, 'GatherND', [inputOf(node, 0), picked], { batchDims: node.int('batch_dims', 0) }),
  ];
};

/** "on" and "off" are one tensor in the IR. */
const readOneHot: GraphDefReader = (node, builder) => {
  const picked = asInt64(node, builder, inputOf(node, 0));
  const [on] = constantNumbersOf(node, 2, 'values');
  const [off] = constantNumbersOf(node, 3, 'values');
  const values = builder.constant(
    `${node.name}/values`,
    tensorFrom(inputOf(node, 2).type.dtype, [2], [off, on]),
  );
  const axis = axisOf(node, node.int('axis', -1), picked.type.shape.length + 1);
  const depth = asInt64(node, builder, inputOf(node, 1));
  return [resultOf(node, builder, 'OneHot', [picked, depth, values], { axis })];
};

/** Repeated indices add up. */
const readScatterNd: GraphDefReader = (node, builder) => {
  const updates = inputOf(node, 1);
  const zero = scalarConstant(node, builder, 'zero', updates.type.dtype, 0);
  const zeros = innerOf(node, builder, 'Expand', [zero, asInt64(node, builder, inputOf(node, 2))]);
  const picked = asInt64(node, builder, inputOf(node, 0));
  return [resultOf(node, builder, 'ScatterND', [zeros, picked, updates], { reduction: 'add' })];
};

function scatterInto(reduction: 'none' | 'add' | 'max' | 'min'): GraphDefReader {
  return (node, builder) => {
    const picked = asInt64(node, builder, inputOf(node, 1));
    const inputs = [inputOf(node, 0), picked, inputOf(node, 2)];
    return [resultOf(node, builder, 'ScatterND', inputs, { reduction })];
  };
}

export const indexingReaders = {
  Gather: readGather,
  GatherV2: readGather,
  ResourceGather: readGather,
  GatherNd: readGatherNd,
  OneHot: readOneHot,
  ScatterNd: readScatterNd,
  TensorScatterUpdate: scatterInto('none'),
  TensorScatterAdd: scatterInto('add'),
  TensorScatterMax: scatterInto('max'),
  TensorScatterMin: scatterInto('min'),
};
