import { type Graph, type Node, producersOf } from '../../ir/graph.ts';
import { macsOf } from '../../ops/macs.ts';
import { sizeOf } from '../constants.ts';
import type { OperatorPrecision } from '../decide-mixed.ts';
import { smallestHalfConstant } from '../float16.ts';
import { ruleOf, weightsOf } from '../rules.ts';
import { storedWeights, type WeightPrecision } from '../stored-weights.ts';

/** Operators that are given one precision together: some with weights, and what follows them up to the next ones. */
export interface OperatorGroup {
  /** Name of its first operator with weights, or of its first one. */
  readonly id: string;
  readonly nodes: readonly string[];
  /** Elements of constant weights, and how many of them are in tensors that are worth storing in integers alone. */
  readonly weights: number;
  readonly largeWeights: number;
  readonly channels: number;
  readonly macs: number;
  /** What its operators have kernels for, float32 first. */
  readonly precisions: readonly OperatorPrecision[];
}

/**
 * Divides a graph into groups in graph order. Operators that share weights are in one group. When there are more groups
 * than `most`, neighbours of few weights are joined.
 * @param graph of `prepareForTflite`
 */
export function groupOperators(graph: Graph, most: number): OperatorGroup[] {
  const groups = joinNeighbours(graph, splitAtWeights(graph), most);
  return groups.map((nodes) => describeGroup(graph, nodes)).filter(({ precisions }) => precisions.length > 1);
}

function splitAtWeights(graph: Graph): Node[][] {
  const producers = producersOf(graph);
  const groupOf = new Map<string, Node[]>();
  const byWeights = new Map<string, Node[]>();
  const groups: Node[][] = [];
  for (const node of graph.nodes) {
    const weights = weightsOf(graph, node).map(({ id }) => id);
    const shared = weights.map((id) => byWeights.get(id)).find((group) => group !== undefined);
    const sources = node.inputs.flatMap((id) => (id === null ? [] : (producers.get(id) ?? [])));
    // Of several sources, the one that was made last: it is the nearest.
    const before = sources
      .map((source) => groupOf.get(source.id)!)
      .sort((a, b) => groups.indexOf(b) - groups.indexOf(a))[0];
    let group = shared ?? (weights.length === 0 ? before : undefined);
    if (!group) {
      group = [];
      groups.push(group);
    }
    group.push(node);
    groupOf.set(node.id, group);
    for (const id of weights) byWeights.set(id, group);
  }
  return groups;
}

function joinNeighbours(graph: Graph, groups: readonly Node[][], most: number): Node[][] {
  const joined = groups.map((nodes) => ({ nodes, weights: countWeights(graph, nodes) }));
  while (joined.length > Math.max(1, most)) {
    let least = 0;
    for (let i = 1; i + 1 < joined.length; i++) {
      const sum = joined[i].weights + joined[i + 1].weights;
      if (sum < joined[least].weights + joined[least + 1].weights) least = i;
    }
    const [first, second] = joined.slice(least, least + 2);
    joined.splice(least, 2, {
      nodes: [...first.nodes, ...second.nodes],
      weights: first.weights + second.weights,
    });
  }
  return joined.map(({ nodes }) => nodes);
}

function describeGroup(graph: Graph, nodes: readonly Node[]): OperatorGroup {
  const constants = new Map(
    nodes.flatMap((node) => weightsOf(graph, node)).map((value) => [value.id, value]),
  );
  const sizes = [...constants.values()].map(({ constant }) => sizeOf(constant!));
  const weights = sum(sizes);
  const stored = (precision: WeightPrecision) =>
    nodes.flatMap((node) => storedWeights(graph, node, precision));
  const large = new Map(stored('weights-int8').map(({ value }) => [value.id, value]));
  const precisions: OperatorPrecision[] = ['float32'];
  if (sizes.some((size) => size >= smallestHalfConstant)) precisions.push('float16');
  if (large.size > 0) precisions.push('weights-int8');
  if (stored('weights-int4').length > 0) precisions.push('weights-int4');
  const isHybrid = (node: Node) =>
    ruleOf(node)?.tflite.dynamicInt8 && storedWeights(graph, node, 'dynamic-int8').length > 0;
  if (nodes.some(isHybrid)) precisions.push('dynamic-int8');
  if (nodes.some((node) => ruleOf(node)?.tflite.int8)) precisions.push('int8');
  return {
    id: (nodes.find((node) => weightsOf(graph, node).length > 0) ?? nodes[0]).id,
    nodes: nodes.map(({ id }) => id),
    weights,
    largeWeights: sum([...large.values()].map(({ constant }) => sizeOf(constant!))),
    channels: sum([...constants.values()].map(({ constant }) => constant!.shape[0] ?? 1)),
    macs: sum(nodes.map((node) => macsOf(graph, node))),
    precisions,
  };
}

function countWeights(graph: Graph, nodes: readonly Node[]): number {
  return sum(nodes.flatMap((node) => weightsOf(graph, node)).map(({ constant }) => sizeOf(constant!)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
