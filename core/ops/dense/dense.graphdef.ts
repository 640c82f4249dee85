/** TensorFlow's matrix products. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { addFused, fusedBias } from '../activation/graphdef-fused.ts';
import type { GraphDefFacet, GraphDefNodeView, GraphDefReader } from '../facets.ts';
import { innerOf, inputOf, resultOf, staticShapeOf, unfused } from '../graphdef-helpers.ts';
import { EinsumError, einsum } from './einsum.ts';

/** The last two axes exchanged. */
function turned(node: GraphDefNodeView, builder: GraphBuilder, value: Value, isTurned: boolean): Value {
  if (!isTurned) return value;
  const perm = value.type.shape.map((_, axis) => axis);
  perm.splice(-2, 2, perm.length - 1, perm.length - 2);
  return innerOf(node, builder, 'Transpose', [value], { perm });
}

function operandsOf(node: GraphDefNodeView, builder: GraphBuilder, a: string, b: string): [Value, Value] {
  return [
    turned(node, builder, inputOf(node, 0), node.boolean(a, false)),
    turned(node, builder, inputOf(node, 1), node.boolean(b, false)),
  ];
}

const readMatMul: GraphDefReader = (node, builder) => {
  const operands = operandsOf(node, builder, 'transpose_a', 'transpose_b');
  const { bias, rest } = fusedBias(node, 2);
  if (!bias && rest.length === 0) return [resultOf(node, builder, 'MatMul', operands)];
  let result = innerOf(node, builder, 'MatMul', operands);
  if (bias && rest.length === 0) return [resultOf(node, builder, 'Add', [result, bias], unfused)];
  if (bias) result = innerOf(node, builder, 'Add', [result, bias], unfused);
  return [addFused(node, builder, result, rest)];
};

const readBatchMatMul: GraphDefReader = (node, builder) => [
  resultOf(node, builder, 'MatMul', operandsOf(node, builder, 'adj_x', 'adj_y')),
];

const readEinsum: GraphDefReader = (node, builder) => {
  const equation = node.string('equation', '');
  if (node.inputs.length !== 2) return node.refuse(`it is over ${node.inputs.length} tensors; 2 are read`);
  const [left, right] = [inputOf(node, 0), inputOf(node, 1)];
  for (const side of [left, right]) staticShapeOf(node, side);
  try {
    return [einsum(builder, equation, left, right.constant ?? right, node.name)];
  } catch (error) {
    if (error instanceof EinsumError) return node.refuse(error.message);
    throw error;
  }
};

export const denseGraphDef = {
  MatMul: readMatMul,
  _FusedMatMul: readMatMul,
  BatchMatMul: readBatchMatMul,
  BatchMatMulV2: readBatchMatMul,
  BatchMatMulV3: readBatchMatMul,
  Einsum: readEinsum,
} satisfies GraphDefFacet;
