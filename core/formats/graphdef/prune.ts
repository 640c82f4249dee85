import type { Graph, ValueId } from '../../ir/graph.ts';

/** Leaves out nodes and constants that no output needs: what a reader replaced by something better. */
export function pruneGraph(graph: Graph): Graph {
  const needed = new Set<ValueId>([...graph.outputs, ...graph.inputs]);
  const kept = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const id of [...node.inputs, ...node.outputs]) if (id !== null) needed.add(id);
  }
  return {
    ...graph,
    nodes: kept.reverse(),
    values: new Map([...graph.values].filter(([id]) => needed.has(id))),
  };
}
