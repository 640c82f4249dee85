import { consumersOf, type Graph, type Node, producersOf, type Value, valueNamed } from '../ir/graph.ts';
import { isOpaque } from '../ir/opaque.ts';
import { sizeOf } from './constants.ts';
import { floatStretches } from './float-stretches.ts';
import { smallestHalfConstant } from './float16.ts';
import type { NodePlan } from './plan.ts';
import { recurrentOperators } from './recurrences.ts';
import { feedsRelativePrecision, type RelativeFeed } from './relative-precision.ts';
import { floatOperands, isFloatValue, onlyMoves, outputRule, ruleOf, weightsOf } from './rules.ts';
import { storedWeights, type WeightPrecision } from './stored-weights.ts';

export interface IntegerPlacement {
  /** Which integer kernels are wanted. */
  readonly kernels: 'int8' | 'int16x8';
  /** The graph's own inputs and outputs stay float32. */
  readonly floatIo: boolean;
  /** No operator is left in float for the sake of quality. */
  readonly pureInteger: boolean;
  /** Whether calibration (or the constant itself) tells a value's range. */
  hasRange(value: string): boolean;
  /** Operators that are given another precision, with the reason, by node name. */
  readonly leftOut?: ReadonlyMap<string, string>;
}

/** Which operators run in integers when activations are quantized, and why the others do not. */
export function placeIntegers(graph: Graph, options: IntegerPlacement): Map<string, NodePlan> {
  const plans = new Map<string, NodePlan>();
  const moving: Node[] = [];
  const tail = options.floatIo && !options.pureInteger ? tailOf(graph) : emptyTail;
  const canHead = (node: Node) =>
    options.kernels === 'int8' && tail.weighted.has(node) && ruleOf(node)!.tflite.dynamicInt8;
  const relative = options.pureInteger ? new Map<string, RelativeFeed>() : feedsRelativePrecision(graph);
  const isRounding = options.kernels === 'int8' && !options.pureInteger;
  const recurrent = isRounding ? recurrentOperators(graph) : new Set<string>();
  for (const node of graph.nodes) {
    const feed = relative.get(node.id);
    const reason = whyFloat(graph, node, options);
    if (reason !== undefined)
      plans.set(node.id, { mode: lacksKernel(graph, node, options) ? 'weights-only' : 'float', reason });
    else if (feed) plans.set(node.id, exactly(graph, node, feed));
    else if (recurrent.has(node.id)) plans.set(node.id, step(graph, node));
    else if (tail.fixed.has(node)) plans.set(node.id, { mode: 'float', reason: lastStep });
    else if (canHead(node)) plans.set(node.id, head(graph, node));
    else if (onlyMoves(ruleOf(node)!)) moving.push(node);
    else plans.set(node.id, { mode: 'integer', reason: 'integer kernel' });
  }
  const isTail = (node: Node) => tail.weighted.has(node) || tail.fixed.has(node);
  const isReal = (node: Node) => tail.weighted.has(node) || (plans.get(node.id)?.mode ?? 'float') === 'float';
  if (!options.leftOut && graph.nodes.every(isReal)) {
    for (const node of tail.weighted) {
      if (canHead(node)) plans.set(node.id, { mode: 'integer', reason: 'integer kernel' });
    }
  }
  if (isRounding && options.floatIo) {
    const moves = new Set(moving);
    const isInteger = (node: Node) => moves.has(node) || plans.get(node.id)?.mode === 'integer';
    const isIsland = (node: Node) =>
      !isInteger(node) && !isTail(node) && !options.leftOut?.has(node.id) && computesReals(graph, node);
    for (const [id, plan] of floatStretches(graph, isInteger, isIsland)) plans.set(id, plan);
  }
  placeMoving(graph, moving, plans);
  return plans;
}

/** Whether an operator has weights worth storing in integers, but no kernel that computes with them. */
function lacksKernel(graph: Graph, node: Node, { kernels, leftOut }: IntegerPlacement): boolean {
  const rule = ruleOf(node);
  if (!rule || rule.tflite[kernels] || leftOut?.has(node.id)) return false;
  return storesWeights(graph, node);
}

/** Whether an operator of ours makes reals of reals that are no constants. */
function computesReals(graph: Graph, node: Node): boolean {
  if (isOpaque(node.op)) return false;
  const isReal = (id: string | null) =>
    id !== null && isFloatValue(valueNamed(graph, id)) && !valueNamed(graph, id).constant;
  return node.inputs.some(isReal) && node.outputs.some(isReal);
}

/** Why the tail is not in integers. */
export const lastStep = 'the last step gives reals, finer than 8 bits, as the output is float32';

/** The last weighted step: where its weights are few, integers would cost more time and error than they save bytes. */
function head(graph: Graph, node: Node): NodePlan {
  const isWorth = storedWeights(graph, node, 'dynamic-int8').length > 0;
  return isWorth ? { mode: 'hybrid', reason: lastStep } : inReals(weightsOf(graph, node)[0], lastStep);
}

/** In reals, with weights of half the bits where that saves something. */
function inReals({ constant }: Value, reason: string): NodePlan {
  const isHalf = sizeOf(constant!) >= smallestHalfConstant;
  return { mode: 'float', reason, ...(isHalf ? { storage: 'float16' } : {}) };
}

function exactly(graph: Graph, node: Node, { op, isWeighted }: RelativeFeed): NodePlan {
  const reason = `feeds a ${op}, where what integers round to zero would count`;
  return { mode: isWeighted && storesWeights(graph, node) ? 'weights-only' : 'float', reason };
}

/** Why a recurrence is not in integers. */
export const recurrentState = '8 bits would round the state of a recurrence anew at every step';

/** A step of a recurrence: 8-bit weights where there are enough of them, states in float. */
function step(graph: Graph, node: Node): NodePlan {
  const mode = storesWeights(graph, node) ? 'weights-only' : 'float';
  return { mode, reason: recurrentState };
}

function storesWeights(graph: Graph, node: Node): boolean {
  return storedWeights(graph, node, 'weights-int8').length > 0;
}

/** Why a node cannot run in integers; undefined when it can. */
function whyFloat(graph: Graph, node: Node, options: IntegerPlacement): string | undefined {
  const leftOut = options.leftOut?.get(node.id);
  if (leftOut !== undefined) return leftOut;
  const rule = ruleOf(node);
  if (isOpaque(node.op)) return 'it only passes through';
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

interface Tail {
  /** Operators with a scale fixed by the specification. */
  readonly fixed: ReadonlySet<Node>;
  /** Operators with constant weights. */
  readonly weighted: ReadonlySet<Node>;
}

const emptyTail: Tail = { fixed: new Set(), weighted: new Set() };

/**
 * The last operators before the outputs, with nothing but moves in between: first those whose output scale the
 * specification fixes (a softmax is held at 1/256 in integers), then the weighted ones before them (whose result, the
 * logits, would have one 8-bit scale for outliers and all).
 */
function tailOf(graph: Graph): Tail {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const reaches = (id: string, through: ReadonlySet<Node>): boolean => {
    const readers = consumers.get(id) ?? [];
    if (readers.length === 0) return outputs.has(id);
    return readers.every((reader) => {
      const rule = ruleOf(reader);
      const passes = through.has(reader) || (rule !== undefined && onlyMoves(rule));
      return passes && reader.outputs.every((output) => reaches(output, through));
    });
  };
  const allReach = (node: Node, through: ReadonlySet<Node>) =>
    node.outputs.every((id) => isFloatValue(valueNamed(graph, id)) && reaches(id, through));
  const fixed = new Set(
    graph.nodes.filter(
      (node) => ruleOf(node)?.outputs[0]?.kind === 'fixed' && allReach(node, emptyTail.fixed),
    ),
  );
  const weighted = new Set(
    graph.nodes.filter((node) => ruleOf(node)?.inputs[1]?.kind === 'weight' && allReach(node, fixed)),
  );
  return { fixed, weighted };
}

/** Which operators get integer weights while activations stay in float; weights too few for that get half the bits. */
export function placeWeights(graph: Graph, precision: WeightPrecision): Map<string, NodePlan> {
  const mode = precision === 'dynamic-int8' ? 'hybrid' : 'weights-only';
  const plans = new Map<string, NodePlan>();
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    const [weights] = weightsOf(graph, node);
    if (!rule || !weights) plans.set(node.id, { mode: 'float', reason: 'no constant weights' });
    else if (mode === 'hybrid' && !rule.tflite.dynamicInt8) {
      plans.set(node.id, { mode: 'float', reason: 'no kernel for float activations and int8 weights' });
    } else if (storedWeights(graph, node, precision).length === 0) {
      const reason = `${sizeOf(weights.constant!)} weights are too few for integers to pay`;
      plans.set(node.id, inReals(weights, reason));
    } else plans.set(node.id, { mode, reason: 'constant weights' });
  }
  return plans;
}
