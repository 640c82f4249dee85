/** The graphs within the attributes of a node. */
import type { GraphProto, NodeProto, TensorProto } from './schema.ts';

/** The graphs that a node holds itself, as If, Loop and Scan do. */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs = [] }) => (g ? [g, ...graphs] : graphs));
}

/** Every node of a graph, those of subgraphs at any depth included. */
export function* allNodes(graph: GraphProto): Generator<NodeProto> {
  for (const node of graph.node) {
    yield node;
    for (const inner of subgraphsOf(node)) yield* allNodes(inner);
  }
}

/** The same node with other graphs and tensors in its attributes. */
export function mapAttributes(
  node: NodeProto,
  graphOf: (graph: GraphProto) => GraphProto,
  tensorOf: (tensor: TensorProto) => TensorProto = (tensor) => tensor,
): NodeProto {
  return {
    ...node,
    attribute: node.attribute.map((attribute) => ({
      ...attribute,
      g: attribute.g && graphOf(attribute.g),
      graphs: attribute.graphs?.map(graphOf),
      t: attribute.t && tensorOf(attribute.t),
      tensors: attribute.tensors?.map(tensorOf),
    })),
  };
}
