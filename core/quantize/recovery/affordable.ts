import { type Graph, staticShape, valueNamed } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { QuantPlan } from '../plan.ts';
import { runtimeShare } from './recovery.ts';
import { scalesTried } from './round-weights.ts';
import { mostPositions } from './unfold-inputs.ts';
import { byWeights, type WeightedNode } from './weighted-nodes.ts';

/**
 * Operators whose weights can be rounded for their inputs within some multiply-accumulates: from the cheapest on, while
 * all that share their weights fit in as well; in their own order.
 * @param samples how many are run
 */
export function affordable(
  nodes: readonly WeightedNode[],
  plan: QuantPlan,
  graph: Graph,
  samples: number,
  mostMacs: number,
): WeightedNode[] {
  const costs = [...byWeights(nodes).values()].map((sharing) => ({
    sharing,
    cost: sharing.reduce((sum, node) => sum + work(node, plan, graph, samples), 0),
  }));
  const taken = new Set<WeightedNode>();
  let total = 0;
  for (const { sharing, cost } of costs.sort((a, b) => a.cost - b.cost)) {
    total += cost;
    if (total > mostMacs) break;
    for (const node of sharing) taken.add(node);
  }
  return nodes.filter((node) => taken.has(node));
}

/** Multiply-accumulates that one operator takes: its inputs' covariance, solving for it, turning its weights. */
function work(each: WeightedNode, plan: QuantPlan, graph: Graph, samples: number): number {
  const { group, columns, weights } = each;
  const positions = Math.min(mostPositions, positionsOf(graph, each));
  const solving = group * columns ** 2 * (samples * (1 + runtimeShare * positions) + columns / 6);
  const rounds = scalesTried(plan, [each]).length;
  return solving + weights.shape[0] * columns ** 2 * (1 + rounds / 2);
}

/** Output positions of one sample. */
function positionsOf(graph: Graph, { node, weights }: WeightedNode): number {
  return elementCount(staticShape(valueNamed(graph, node.outputs[0]))) / weights.shape[0];
}
