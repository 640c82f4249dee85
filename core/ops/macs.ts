import { type Graph, type Node, valueNamed } from '../ir/graph.ts';
import { definitionOf } from './registry.ts';

/** Multiply-accumulates of a node; 0 where dimensions are open or nothing is multiplied. */
export function macsOf(graph: Graph, node: Node): number {
  const inputs = node.inputs.map((id) => (id === null ? null : valueNamed(graph, id)));
  const outputs = node.outputs.map((id) => valueNamed(graph, id));
  const settled = [...inputs, ...outputs].every(
    (value) => value?.type.shape.every((dim) => typeof dim === 'number') ?? true,
  );
  return settled ? (definitionOf(node.op)?.cost?.(inputs, outputs, node.attrs).macs ?? 0) : 0;
}

/** Multiply-accumulates of one run. */
export function totalMacs(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + macsOf(graph, node), 0);
}
