import { consumersOf, type Graph, type Node, producersOf, valueNamed } from '../ir/graph.ts';
import { sizeOf } from './constants.ts';
import type { NodePlan } from './plan.ts';
import { floatOperands, isFloatValue, onlyMoves, outputRule, ruleOf } from './rules.ts';

/**
 * Constants below this many elements stay in float where only weights are quantized: the integers' own tables would
 * outweigh what they save (the threshold of TensorFlow's converter).
 */
export const smallestWeights = 1024;

export interface IntegerPlacement {
  /** Which integer kernels are wanted. */
  readonly kernels: 'int8' | 'int16x8';
  /** The graph's own inputs and outputs stay float32. */
  readonly floatIo: boolean;
  /** No operator is left in float for the sake of quality. */
  readonly pureInteger: boolean;
  /** Whether calibration (or the constant itself) tells a value's range. */
  hasRange(value: string): boolean;
}

/** Which operators run in integers when activations are quantized, and why the others do not. */
export function placeIntegers(graph: Graph, options: IntegerPlacement): Map<string, NodePlan> {
  const plans = new Map<string, NodePlan>();
  const moving: Node[] = [];
  const final = options.floatIo && !options.pureInteger ? finalFixedNodes(graph) : new Set<Node>();
  for (const node of graph.nodes) {
    const reason = whyFloat(graph, node, options);
    if (reason !== undefined) plans.set(node.id, { mode: 'float', reason });
    else if (final.has(node)) {
      plans.set(node.id, {
        mode: 'float',
        reason: 'the last step keeps float precision, as the output is float32',
      });
    } else if (onlyMoves(ruleOf(node)!)) moving.push(node);
    else plans.set(node.id, { mode: 'integer', reason: 'integer kernel' });
  }
  placeMoving(graph, moving, plans);
  return plans;
}

/** Why a node cannot run in integers; undefined when it can. */
function whyFloat(graph: Graph, node: Node, options: IntegerPlacement): string | undefined {
  const rule = ruleOf(node);
  if (!rule) return 'no integer kernel';
  if (!rule.tflite[options.kernels]) return `no ${options.kernels} kernel`;
  const operands = floatOperands(graph, node, rule);
  if (operands.length === 0) return 'works on plain integers';
  const first = operands[0].value;
  if (operands.every(({ value }) => value.constant)) return 'works on constants only';
  if (first.constant && onlyMoves(rule) && operands.length === 1) return 'moves a constant';
  for (const { rule: slot, value } of operands) {
    if ((slot.kind === 'weight' || slot.kind === 'bias') && !value.constant) {
      return `${value.id} is computed; constant weights are needed`;
    }
  }
  const outputs = node.outputs.filter((_, slot) => outputRule(rule, slot).kind === 'activation');
  const inputs = operands.filter(({ rule: slot }) => slot.kind === 'activation').map(({ value }) => value.id);
  for (const id of onlyMoves(rule) ? [] : [...inputs, ...outputs]) {
    if (!options.hasRange(id)) return `calibration gave no range for ${id}`;
  }
  return undefined;
}

/**
 * Operators that only move elements go with what feeds them; those fed by the graph's inputs go with what they feed.
 * Between two float operators an integer move would cost two borders for nothing.
 */
function placeMoving(graph: Graph, moving: readonly Node[], plans: Map<string, NodePlan>): void {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const isMoving = new Set(moving);
  // From the last to the first: what a move feeds is settled before the move itself.
  const feedsInteger = new Set<string>();
  for (const node of moving.toReversed()) {
    const readers = node.outputs.flatMap((id) => consumers.get(id) ?? []);
    const feeds = (next: Node) =>
      isMoving.has(next) ? feedsInteger.has(next.id) : plans.get(next.id)?.mode === 'integer';
    if (readers.some(feeds)) feedsInteger.add(node.id);
  }
  for (const node of moving) {
    const sources = floatOperands(graph, node, ruleOf(node)!)
      .filter(({ value }) => !value.constant)
      .map(({ value }) => producers.get(value.id));
    const fed = sources.filter((source) => source !== undefined);
    const integers = fed.filter((source) => plans.get(source.id)?.mode === 'integer').length;
    const integer = fed.length > 0 ? integers * 2 >= fed.length && integers > 0 : feedsInteger.has(node.id);
    plans.set(
      node.id,
      integer
        ? { mode: 'integer', reason: 'moves integers' }
        : { mode: 'float', reason: 'moves reals between float operators' },
    );
  }
}

/** Operators with an output scale fixed by the specification after which nothing but moves lies before the outputs. */
function finalFixedNodes(graph: Graph): Set<Node> {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const onlyReachesOutputs = (id: string): boolean => {
    const readers = consumers.get(id) ?? [];
    if (readers.length === 0) return outputs.has(id);
    return readers.every((reader) => {
      const rule = ruleOf(reader);
      return rule !== undefined && onlyMoves(rule) && reader.outputs.every(onlyReachesOutputs);
    });
  };
  return new Set(
    graph.nodes.filter((node) => {
      const rule = ruleOf(node);
      return (
        rule?.outputs[0]?.kind === 'fixed' &&
        node.outputs.every((id) => isFloatValue(valueNamed(graph, id)) && onlyReachesOutputs(id))
      );
    }),
  );
}

/** Which operators get integer weights while activations stay in float. */
export function placeWeights(graph: Graph, mode: 'hybrid' | 'weights-only'): Map<string, NodePlan> {
  const plans = new Map<string, NodePlan>();
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    const operands = rule ? floatOperands(graph, node, rule) : [];
    const weights = operands.find(({ rule: slot }) => slot.kind === 'weight')?.value.constant;
    if (!rule || !weights) plans.set(node.id, { mode: 'float', reason: 'no constant weights' });
    else if (mode === 'hybrid' && !rule.tflite.dynamicInt8) {
      plans.set(node.id, { mode: 'float', reason: 'no kernel for float activations and int8 weights' });
    } else if (sizeOf(weights) < smallestWeights) {
      plans.set(node.id, {
        mode: 'float',
        reason: `${sizeOf(weights)} weights; below ${smallestWeights} nothing is saved`,
      });
    } else plans.set(node.id, { mode, reason: 'constant weights' });
  }
  return plans;
}
