/** What TensorFlow's grappler and the TF.js converter fuse into a convolution or a matrix product. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { GraphDefNodeView } from '../facets.ts';
import { clipOf, inputOf, resultOf } from '../graphdef-helpers.ts';

export interface FusedPart {
  readonly op: string;
  /** Operands that the part takes besides the result before it. */
  readonly operands: readonly Value[];
}

const operandCounts: Readonly<Record<string, number>> = { BiasAdd: 1, Prelu: 1, FusedBatchNorm: 4 };

/**
 * The bias that is fused first, if one is, and the parts that follow.
 * @param first position of the first fused operand among the inputs.
 */
export function fusedBias(
  node: GraphDefNodeView,
  first: number,
): { bias: Value | null; rest: readonly FusedPart[] } {
  let at = first;
  const parts = node.strings('fused_ops').map((op): FusedPart => {
    const operands = Array.from({ length: operandCounts[op] ?? 0 }, () => inputOf(node, at++));
    return { op, operands };
  });
  if (at !== node.inputs.length && parts.length > 0) {
    node.refuse(`it has ${node.inputs.length - first} operands for ${parts.map(({ op }) => op).join(', ')}`);
  }
  if (parts[0]?.op === 'BiasAdd') return { bias: parts[0].operands[0], rest: parts.slice(1) };
  return { bias: null, rest: parts };
}

/** Adds the fused parts behind `x`. There is at most one in any version of the converters. */
export function addFused(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  x: Value,
  parts: readonly FusedPart[],
): Value {
  if (parts.length !== 1) return node.refuse(`it fuses ${parts.map(({ op }) => op).join(', ')}`);
  const [{ op, operands }] = parts;
  switch (op) {
    case 'Relu':
    case 'Sigmoid':
    case 'Tanh':
      return resultOf(node, builder, op, [x]);
    case 'Elu':
      return resultOf(node, builder, 'Elu', [x], { alpha: 1 });
    case 'Relu6':
      return clipOf(node, builder, x, [0, 6]);
    case 'LeakyRelu':
      return resultOf(node, builder, 'LeakyRelu', [x], { alpha: node.float('leakyrelu_alpha', 0.2) });
    case 'Prelu':
      return resultOf(node, builder, 'PRelu', [x, operands[0]]);
    case 'FusedBatchNorm': {
      const axis = node.string('data_format', 'NHWC') === 'NHWC' ? x.type.shape.length - 1 : 1;
      const epsilon = node.float('epsilon', 1e-4);
      return resultOf(node, builder, 'BatchNormalization', [x, ...operands], { epsilon, axis });
    }
    default:
      return node.refuse(`it fuses ${op}, which is not read`);
  }
}
