import type { SubgraphView } from '../formats/tflite/model-view.ts';

/** One stretch of operators that runs in one place. */
export interface Part {
  readonly taken: boolean;
  readonly nodes: readonly number[];
}

/**
 * Cuts a graph into the stretches that LiteRT runs one after another, given which operators a delegate takes: from
 * what is ready, everything of one kind is run before the other kind gets its turn
 * (`PartitionGraphIntoIndependentNodeSubsets`, tflite/graph_info.cc).
 */
export function partition(subgraph: SubgraphView, taken: ReadonlySet<number>): Part[] {
  const made = new Set(subgraph.operators.flatMap(({ outputs }) => outputs));
  const ready = new Set(subgraph.tensors.flatMap((_, index) => (made.has(index) ? [] : [index])));
  const left = new Set(subgraph.operators.keys());
  const parts: Part[] = [];
  while (left.size > 0) {
    let kind: boolean | undefined;
    const nodes: number[] = [];
    let found = true;
    while (found) {
      found = false;
      for (const node of left) {
        const { inputs, outputs } = subgraph.operators[node];
        if (!inputs.every((tensor) => tensor < 0 || ready.has(tensor))) continue;
        kind ??= taken.has(node);
        if (taken.has(node) !== kind) continue;
        left.delete(node);
        nodes.push(node);
        for (const tensor of outputs) ready.add(tensor);
        found = true;
      }
    }
    // Only a graph with a cycle leaves operators that are never ready.
    if (kind === undefined) break;
    parts.push({ taken: kind, nodes: nodes.sort((a, b) => a - b) });
  }
  return parts;
}
