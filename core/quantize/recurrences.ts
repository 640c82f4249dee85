import { consumersOf, type Graph, type Node, producersOf } from '../ir/graph.ts';
import { weightsOf } from './rules.ts';

/**
 * Operators of recurrences, by name: those between two uses of the same weights of which the later depends on the
 * earlier, as the steps of an unrolled LSTM do. With them go what continues a step up to the next weights, and what
 * feeds nothing but steps, from the weights on that the steps' input is multiplied with. What rounds a state is
 * rounded again at every step, so that 8 bits cost several times what they cost elsewhere.
 */
export function recurrentOperators(graph: Graph): Set<string> {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const readersOf = (node: Node) => node.outputs.flatMap((id) => consumers.get(id) ?? []);
  const sourcesOf = (node: Node) =>
    node.inputs.flatMap((id) => (id === null ? [] : (producers.get(id) ?? [])));
  const hasWeights = (node: Node) => weightsOf(graph, node).length > 0;
  const found = new Set<Node>();
  for (const [first, last] of repeatedWeights(graph)) {
    const after = reachable(first, readersOf);
    if (!after.has(last)) continue;
    for (const node of reachable(last, sourcesOf)) if (after.has(node)) found.add(node);
  }
  for (const node of graph.nodes) {
    if (!hasWeights(node) && sourcesOf(node).some((source) => found.has(source))) found.add(node);
  }
  // From the last to the first: what a node feeds is settled before the node itself.
  const entries = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    const readers = readersOf(node);
    if (found.has(node) || readers.length === 0) continue;
    if (!readers.every((reader) => found.has(reader) && !entries.has(reader))) continue;
    found.add(node);
    if (hasWeights(node)) entries.add(node);
  }
  return new Set([...found].map(({ id }) => id));
}

/** The first and the last of the operators that share weights. */
function repeatedWeights(graph: Graph): [Node, Node][] {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const { id } of weightsOf(graph, node)) users.set(id, [...(users.get(id) ?? []), node]);
  }
  return [...users.values()].filter(({ length }) => length > 1).map((nodes) => [nodes[0], nodes.at(-1)!]);
}

function reachable(from: Node, next: (node: Node) => readonly Node[]): Set<Node> {
  const seen = new Set([from]);
  for (const node of seen) for (const further of next(node)) seen.add(further);
  return seen;
}
