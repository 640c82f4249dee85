/** TensorFlow's reductions and orderings. */
import type { GraphDefFacet, GraphDefReader } from '../facets.ts';
import { axesOf, constantNumbersOf, innerOf, inputOf, int64Constant, resultOf } from '../graphdef-helpers.ts';

/** No axes at all reduce nothing, where the IR's empty list would reduce everything. */
function reduction(op: string): GraphDefReader {
  return (node, builder) => {
    const x = inputOf(node, 0);
    const axes = axesOf(node, 1);
    const keepDims = node.boolean('keep_dims', false);
    if (axes.length === 0) return [resultOf(node, builder, 'Identity', [x])];
    return [resultOf(node, builder, op, [x, int64Constant(node, builder, 'axes', axes)], { keepDims })];
  };
}

/** Truth values as 0 and 1: the smallest is "all", the largest "any". */
function logical(op: string): GraphDefReader {
  return (node, builder) => {
    const axes = axesOf(node, 1);
    const keepDims = node.boolean('keep_dims', false);
    if (axes.length === 0) return [resultOf(node, builder, 'Identity', [inputOf(node, 0)])];
    const numbers = innerOf(node, builder, 'Cast', [inputOf(node, 0)], { to: 'float32' });
    const list = int64Constant(node, builder, 'axes', axes);
    const extremum = innerOf(node, builder, op, [numbers, list], { keepDims });
    return [resultOf(node, builder, 'Cast', [extremum], { to: 'bool' })];
  };
}

/** The IR's index is int64; the node says which type it wants. */
function argExtremum(op: string): GraphDefReader {
  return (node, builder) => {
    const axis = node.inputs.length > 1 ? constantNumbersOf(node, 1, 'axis')[0] : 0;
    const attrs = { axis, keepDims: false };
    const to = node.dtype('output_type', 'int64');
    if (to === 'int64') return [resultOf(node, builder, op, [inputOf(node, 0)], attrs)];
    const index = innerOf(node, builder, op, [inputOf(node, 0)], attrs);
    return [resultOf(node, builder, 'Cast', [index], { to })];
  };
}

const readCumsum: GraphDefReader = (node, builder) => [
  resultOf(node, builder, 'CumSum', [inputOf(node, 0), inputOf(node, 1)], {
    exclusive: node.boolean('exclusive', false),
    reverse: node.boolean('reverse', false),
  }),
];

const readTopK: GraphDefReader = (node, builder) => {
  // Equal values may come in any order where the result is not sorted; sorted is one of them.
  node.boolean('sorted', true);
  const count = node.inputs.length > 1 ? constantNumbersOf(node, 1, 'count')[0] : node.int('k', 1);
  const k = int64Constant(node, builder, 'k', [count]);
  const [values, index] = builder.add(
    'TopK',
    [inputOf(node, 0), k],
    { axis: -1, largest: true },
    { name: node.name },
  );
  const to = node.dtype('index_type', 'int32');
  return [values, to === 'int64' ? index : innerOf(node, builder, 'Cast', [index], { to })];
};

export const reduceGraphDef = {
  Mean: reduction('ReduceMean'),
  Sum: reduction('ReduceSum'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: argExtremum('ArgMax'),
  ArgMin: argExtremum('ArgMin'),
  Cumsum: readCumsum,
  TopK: readTopK,
  TopKV2: readTopK,
} satisfies GraphDefFacet;
