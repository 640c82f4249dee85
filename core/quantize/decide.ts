import type { Ranges } from '../calibrate/observer.ts';
import { scaleChannels } from '../calibrate/scale-channels.ts';
import { WhittleError } from '../contract/errors.ts';
import type { IoType, Precision } from '../contract/views.ts';
import { type Graph, type Node, valueNamed } from '../ir/graph.ts';
import { countedElements } from '../ops/infer-helpers.ts';
import { activationParams } from './activation-params.ts';
import type { OwnNumbers } from './onnx-form.ts';
import { lastStep, placeIntegers, placeWeights } from './placement.ts';
import { emptyPlan, type NodePlan, operandKey, type QuantPlan, type ValuePlan } from './plan.ts';
import { islandWarnings, nothingDone } from './plan-warnings.ts';
import { planHybridWeights, planIntegerWeights, planStoredWeights } from './plan-weights.ts';
import { floatOperands, isFloatValue, onlyMoves, outputRule, ruleOf } from './rules.ts';
import type { WeightPrecision } from './stored-weights.ts';

export interface DecideOptions {
  readonly precision: Precision;
  /** Type of the graph's float inputs and outputs in the exported file; see `ioTypeFor`. */
  readonly io: IoType;
  /** Keeps every operator in integers, a final softmax too. */
  readonly pureInteger: boolean;
  /** Set where the plan is for one form of ONNX only, with numbers of its own. */
  readonly form?: OwnNumbers;
  /** Operators that full integer precision leaves alone, with the reason, by node name; see `decideMixed`. */
  readonly leftOut?: ReadonlyMap<string, string>;
}

/**
 * The type that inputs and outputs really get: only full integer precisions have integer ones.
 * @throws WhittleError `precision.unsupported` where the type has no kernels at its border
 */
export function ioTypeFor(precision: Precision, io: IoType): IoType {
  const allowed: readonly IoType[] =
    precision === 'int8'
      ? ['float32', 'int8', 'uint8']
      : precision === 'int16x8'
        ? ['float32', 'int16']
        : ['float32'];
  if (allowed.includes(io)) return io;
  if (allowed.length === 1) return 'float32';
  throw new WhittleError('precision.unsupported', `${precision} has no ${io} inputs and outputs`, {
    hint: `Choose ${allowed.join(' or ')}.`,
  });
}

/**
 * Decides what every value and operator becomes. Reads only the registry's rules, the calibrated ranges and the
 * weights; never names an operator.
 * @param graph of `prepareForTflite`
 * @param ranges of `calibrate`; empty for precisions that keep activations in float
 * @throws WhittleError `data.missing` for a full integer precision without ranges
 */
export function decidePlan(graph: Graph, ranges: Ranges, options: DecideOptions): QuantPlan {
  const { precision } = options;
  switch (precision) {
    case 'int8':
    case 'int16x8':
      return decideIntegers(graph, ranges, { ...options, precision });
    case 'dynamic-int8':
      return decideWeights(graph, precision, options.form === 'u8s8-reduced');
    case 'weights-int8':
    case 'weights-int4':
      return decideWeights(graph, precision);
    case 'float32':
    case 'float16':
      return emptyPlan(precision);
    case 'auto':
      throw new WhittleError('precision.unsupported', 'auto is a search over plans, not one plan', {
        hint: 'Name a precision.',
      });
  }
}

function decideIntegers(
  source: Graph,
  ranges: Ranges,
  options: DecideOptions & { precision: 'int8' | 'int16x8' },
): QuantPlan {
  if (ranges.size === 0 && source.nodes.some((node) => readsReals(source, node))) {
    throw new WhittleError('data.missing', `${options.precision} needs calibrated ranges`, {
      hint: 'Give samples to calibrate on.',
    });
  }
  const { precision } = options;
  const io = ioTypeFor(precision, options.io);
  const activationType = precision === 'int8' ? 'int8' : 'int16';
  // 16 bits have room for channels of very different ranges; 8 bits want them alike.
  const factors = precision === 'int8' ? factorsOf(ranges) : new Map<string, Float64Array>();
  const graph = scaleChannels(source, factors);
  const known = knownRanges(graph, ranges);
  const nodes = placeIntegers(graph, {
    kernels: precision,
    floatIo: io === 'float32',
    pureInteger: options.pureInteger || options.form === 'tensorrt',
    hasRange: (id) => known.has(id),
    leftOut: options.leftOut,
  });
  const ports =
    io === 'float32'
      ? []
      : [...graph.inputs, ...graph.outputs].filter((id) => isFloatValue(valueNamed(graph, id)));
  const activations = activationParams(graph, nodes, ranges, activationType, ports, {
    symmetric: options.form === 'tensorrt',
  });
  const values = { ...activations.values };
  const reduced = options.form === 'u8s8-reduced';
  for (const node of graph.nodes) {
    const { mode, reason } = nodes.get(node.id)!;
    if (mode === 'integer')
      planIntegerWeights(graph, node, values, { narrowBias: precision === 'int8', reduced });
    else if (mode === 'hybrid')
      planHybridWeights(graph, node, values, { reduced, isHead: reason === lastStep });
    else if (mode === 'weights-only') planStoredWeights(graph, node, values, 'weights-int8');
  }
  return {
    precision,
    values,
    nodes: inOrder(graph, nodes),
    requantized: activations.requantized,
    constants: constantNames(graph, values),
    factors: Object.fromEntries([...factors].map(([id, divisors]) => [id, [...divisors]])),
    biases: {},
    warnings: [
      ...islandWarnings(graph, nodes, options),
      ...nothingDone(values, 'no operator has a use for integers'),
    ],
  };
}

/** Whether an operator with a rule reads reals that are only known once samples are run. */
function readsReals(graph: Graph, node: Node): boolean {
  const rule = ruleOf(node);
  return rule !== undefined && floatOperands(graph, node, rule).some(({ value }) => !value.constant);
}

function factorsOf(ranges: Ranges): Map<string, Float64Array> {
  const factors = new Map<string, Float64Array>();
  for (const [id, range] of ranges) if (range.factors) factors.set(id, range.factors);
  return factors;
}

/**
 * Values whose range is known: seen in calibration, constant, fixed by the specification, or made by moving elements of
 * such values.
 */
function knownRanges(graph: Graph, ranges: Ranges): Set<string> {
  const known = new Set<string>(ranges.keys());
  for (const value of graph.values.values()) if (value.constant) known.add(value.id);
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    if (!rule) continue;
    const moved = () => floatOperands(graph, node, rule).every(({ value }) => known.has(value.id));
    node.outputs.forEach((id, slot) => {
      const { kind } = outputRule(rule, slot);
      if (kind === 'fixed' || (kind === 'same-as-input' && moved())) known.add(id);
    });
  }
  // Backwards too, where no element is left out on the way: a transposed copy can bear the name that calibration saw.
  for (const node of graph.nodes.toReversed()) {
    const rule = ruleOf(node);
    const operands = rule && onlyMoves(rule) ? floatOperands(graph, node, rule) : [];
    const output = valueNamed(graph, node.outputs[0]);
    if (operands.length !== 1 || node.outputs.length !== 1 || !known.has(output.id)) continue;
    if (countedElements(operands[0].value.type) === countedElements(output.type))
      known.add(operands[0].value.id);
  }
  return known;
}

function decideWeights(graph: Graph, precision: WeightPrecision, reduced = false): QuantPlan {
  const nodes = placeWeights(graph, precision);
  const values: Record<string, ValuePlan> = {};
  for (const node of graph.nodes) {
    if (nodes.get(node.id)?.mode !== 'float') planStoredWeights(graph, node, values, precision, reduced);
  }
  const warnings = nothingDone(values, 'all weights are too few for integers to pay');
  return {
    precision,
    values,
    nodes: inOrder(graph, nodes),
    requantized: {},
    constants: constantNames(graph, values),
    factors: {},
    biases: {},
    warnings,
  };
}

function inOrder(graph: Graph, nodes: ReadonlyMap<string, NodePlan>): Record<string, NodePlan> {
  return Object.fromEntries(graph.nodes.map(({ id }) => [id, nodes.get(id)!]));
}

/** The planned constants by who takes them. */
export function constantNames(
  graph: Graph,
  values: Readonly<Record<string, ValuePlan>>,
): Record<string, string> {
  const names: Record<string, string> = {};
  for (const node of graph.nodes) {
    node.inputs.forEach((id, slot) => {
      if (id !== null && values[id] && valueNamed(graph, id).constant) names[operandKey(node.id, slot)] = id;
    });
  }
  return names;
}
