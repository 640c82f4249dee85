import { consumersOf, type Graph, valueNamed } from '../ir/graph.ts';
import { elementCount } from '../ir/tensor.ts';
import { definitionOf } from '../ops/registry.ts';
import { ruleOf } from './rules.ts';

/** Against the largest tensor of a graph, arithmetic on one this many times smaller costs nothing. */
const smallShare = 16;

interface Feed extends RelativeFeed {
  /** Whether it goes nowhere else. */
  readonly isAlone: boolean;
}

/** An operator whose result is wanted exactly. */
export interface RelativeFeed {
  /** Operator that it goes into in the end. */
  readonly op: string;
  /** Whether it has weights, which may be integers all the same. */
  readonly isWeighted: boolean;
}

/**
 * Operators whose results go nowhere but into a logarithm, a root or a divisor, directly or through one another, with
 * the operator that they go into; small results, such as a mean, may go elsewhere as well. There the relative error
 * counts, while an integer's step is absolute: what is small is rounded to zero, and its logarithm is infinite.
 * Operators with weights end the search: they are the last ones it finds on their path.
 */
export function feedsRelativePrecision(graph: Graph): Map<string, RelativeFeed> {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const sizeOf = (id: string) => elementCount(valueNamed(graph, id).type.shape as number[]);
  const largest = Math.max(...graph.nodes.flatMap((node) => node.outputs.map(sizeOf)));
  const feeds = new Map<string, Feed>();
  for (const node of graph.nodes.toReversed()) {
    const isWeighted = ruleOf(node)?.inputs.some(({ kind }) => kind === 'weight') ?? false;
    const readers = node.outputs.flatMap((id) =>
      (consumers.get(id) ?? []).map((reader) => {
        const slots = definitionOf(reader.op)?.relative ?? [];
        const isRead = slots.some((slot) => reader.inputs[slot] === id);
        if (isRead) return { op: reader.op, isAlone: true };
        const further = feeds.get(reader.id);
        return further?.isWeighted ? undefined : further;
      }),
    );
    const first = readers.find((reader) => reader !== undefined);
    const isSmall = node.outputs.every((id) => sizeOf(id) * smallShare <= largest);
    const isAlone = readers.every((reader) => reader?.isAlone) && !node.outputs.some((id) => outputs.has(id));
    if (first && (isAlone || (isSmall && !isWeighted)))
      feeds.set(node.id, { op: first.op, isAlone, isWeighted });
  }
  return feeds;
}
