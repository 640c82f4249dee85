import { consumersOf, type Graph, type Node, type ValueId, valueNamed } from '../ir/graph.ts';
import { definitionOf } from '../ops/registry.ts';
import type { NodePlan } from './plan.ts';
import { floatOperands, isFloatValue, onlyMoves, ruleOf } from './rules.ts';

/** So many borders a stretch of integers between two float operators costs, its input's and its output's. */
const borders = 2;

/** Why an operator between two float operators makes reals. */
export const betweenFloats =
  'between float operators, integers would cost two borders and round what the second one reads';

/**
 * Short stretches of operators that lead from reals to an operator without an integer kernel: weighted ones that can
 * quantize their input at run time, and element-wise ones with several operands, such as the sums of residuals. With at
 * most two weighted operators on the way that is no slower than the borders that it saves, and nothing is rounded before
 * an operator (a normalization, mostly) that would make the rounding errors larger.
 * @param isInteger operators that would run in integers, or only move what those make
 * @param isIsland operators that stay in float for their own sake
 */
export function floatStretches(
  graph: Graph,
  isInteger: (node: Node) => boolean,
  isIsland: (node: Node) => boolean,
): Map<string, NodePlan> {
  const takes = (node: Node) => isInteger(node) && (isMove(node) || isWeighted(node) || isJoin(graph, node));
  const isReal = (id: ValueId) => isFloatValue(valueNamed(graph, id));
  /** Weighted operators on the shortest way from reals to a value. */
  const before = new Map<ValueId, number>();
  for (const id of graph.inputs) if (isReal(id)) before.set(id, 0);
  for (const node of graph.nodes) {
    const island = isIsland(node);
    if (!island && !takes(node)) continue;
    const least = island ? 0 : Math.min(...node.inputs.map((id) => before.get(id ?? '') ?? Infinity));
    for (const id of node.outputs)
      if (isReal(id)) before.set(id, least + (isWeighted(node) && !island ? 1 : 0));
  }
  const consumers = consumersOf(graph);
  /** The same from a value on to an island. */
  const after = new Map<ValueId, number>();
  const stretches = new Map<string, NodePlan>();
  for (const node of graph.nodes.toReversed()) {
    const [id] = node.outputs;
    const ways = (consumers.get(id) ?? []).map((reader) => {
      if (isIsland(reader)) return 0;
      return takes(reader)
        ? (after.get(reader.outputs[0]) ?? Infinity) + (isWeighted(reader) ? 1 : 0)
        : Infinity;
    });
    after.set(id, Math.min(...ways));
    if (!takes(node) || isMove(node) || before.get(id)! + after.get(id)! > borders) continue;
    stretches.set(node.id, { mode: isWeighted(node) ? 'hybrid' : 'float', reason: betweenFloats });
  }
  return stretches;
}

function isMove(node: Node): boolean {
  return onlyMoves(ruleOf(node)!);
}

/** Grouped convolutions have no fast kernel that quantizes its input. */
function isWeighted(node: Node): boolean {
  const rule = ruleOf(node);
  return rule?.inputs[1]?.kind === 'weight' && rule.tflite.dynamicInt8 && (node.attrs.group ?? 1) === 1;
}

/** Joins several values element by element, which takes next to no time in float. */
function isJoin(graph: Graph, node: Node): boolean {
  const operands = floatOperands(graph, node, ruleOf(node)!).filter(({ value }) => !value.constant);
  return operands.length > 1 && definitionOf(node.op)?.layout.kind === 'elementwise';
}
