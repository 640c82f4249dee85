import type { Graph } from '../ir/graph.ts';
import { integerRule } from './integer-rules.ts';
import type { Range, Ranges } from './observer.ts';

/**
 * Ranges also for values that an operator hands on unchanged (transposed, reshaped, pooled): in a graph of another
 * axis order they may be what an operator makes itself, under the same name.
 */
export function withDerivedRanges(graph: Graph, ranges: Ranges): Ranges {
  const all = new Map<string, Range>(ranges);
  for (const node of graph.nodes) {
    const rule = integerRule(node);
    const [input] = node.inputs;
    const range = input === null || input === undefined ? undefined : all.get(input);
    if (!rule || !range) continue;
    node.outputs.forEach((id, slot) => {
      const { kind } = rule.outputs[Math.min(slot, rule.outputs.length - 1)];
      if (kind === 'same-as-input' && !all.has(id)) all.set(id, range);
    });
  }
  return all;
}
