import { consumersOf, type Graph, type Node, valueNamed } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { definitionOf } from '../ops/registry.ts';
import { ruleOf } from './rules.ts';

/** Against the largest tensor of a graph, arithmetic on one this many times smaller costs nothing. */
const smallShare = 16;

/**
 * Operators whose results go nowhere but into a logarithm, a root or a divisor, directly or through one another, with
 * what they go into; small results, such as a mean, may go elsewhere as well. There the relative error counts, while an integer's step is absolute: what is small is rounded to
 * zero, and its logarithm is infinite. Operators with weights are not among them: they cost the most and give, before
 * any arithmetic on it, a range that integers suit.
 */
export function feedsRelativePrecision(graph: Graph): Map<string, Node> {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const sizeOf = (id: string) => elementCount(valueNamed(graph, id).type.shape as number[]);
  const largest = Math.max(...graph.nodes.flatMap((node) => node.outputs.map(sizeOf)));
  const feeds = new Map<string, Node>();
  for (const node of graph.nodes.toReversed()) {
    if (ruleOf(node)?.inputs.some(({ kind }) => kind === 'weight')) continue;
    const readers = node.outputs.flatMap((id) =>
      (consumers.get(id) ?? []).map((reader) => {
        const slots = definitionOf(reader.op)?.relative ?? [];
        return slots.some((slot) => reader.inputs[slot] === id) ? reader : feeds.get(reader.id);
      }),
    );
    const fed = readers.find((reader) => reader !== undefined);
    const isSmall = node.outputs.every((id) => sizeOf(id) * smallShare <= largest);
    const isAlone =
      readers.every((reader) => reader !== undefined) && !node.outputs.some((id) => outputs.has(id));
    if (fed && (isAlone || isSmall)) feeds.set(node.id, fed);
  }
  return feeds;
}
