import type { TargetView } from '../contract/views.ts';
import { isFloat } from '../ir/dtype.ts';
import { type Graph, valueNamed } from '../ir/graph.ts';

const toTensorRt = {
  text: 'Export ONNX in the TensorRT form: symmetric int8 with QDQ pairs at the inputs of convolutions and products.',
  recipe: { precision: 'int8', format: 'onnx' },
} as const;

/**
 * NVIDIA TensorRT with explicit quantization: QDQ pairs in int8 with zero point 0 (TensorRT documentation, "Working
 * with Quantized Types"). Float graphs are taken as they are.
 */
export function describeTensorRt(graph: Graph): TargetView {
  const refused = graph.nodes.flatMap((node, index) => {
    const quantized = [...node.inputs, ...node.outputs].flatMap((id) => {
      const value = id === null ? undefined : valueNamed(graph, id);
      return value?.quant ? [value] : [];
    });
    const odd = quantized.find(
      ({ type, quant }) => type.dtype !== 'int32' && quant?.zeroPoints.some((point) => point !== 0),
    );
    const wide = quantized.find(
      ({ type }) => !['int8', 'int32', 'int4'].includes(type.dtype) && !isFloat(type.dtype),
    );
    const reason = odd
      ? 'takes symmetric scales only (zero point 0)'
      : wide
        ? `takes int8, not ${wide.type.dtype}`
        : undefined;
    return reason ? [{ index, name: node.id, op: node.op, reason, fix: toTensorRt }] : [];
  });
  const nodes = graph.nodes.length;
  const [first] = refused;
  const byReason = new Map<string, TargetView['reasons'][number]>();
  for (const { op, reason, name, fix } of refused) {
    const known = byReason.get(`${op}: ${reason}`);
    if (known) known.count++;
    else byReason.set(`${op}: ${reason}`, { op, reason, count: 1, nodes: [name], fix });
  }
  return {
    id: 'tensorrt',
    name: 'NVIDIA TensorRT',
    source: 'TensorRT documentation, explicit quantization',
    verdict: first ? 'unfit' : 'all',
    summary: first
      ? `Does not build it: ${refused.length} of ${nodes} operators do not fit. First in the way: ${first.op} "${first.name}" (${first.reason}).`
      : 'Quantized as TensorRT asks; which kernels it picks, it decides when it builds the engine.',
    nodes,
    taken: nodes - refused.length,
    partitions: first ? 0 : 1,
    ...(first && { first }),
    reasons: [...byReason.values()].sort((a, b) => b.count - a.count),
  };
}
