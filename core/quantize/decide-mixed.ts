import type { Ranges } from '../calibrate/observer.ts';
import { WhittleError } from '../contract/errors.ts';
import type { Precision } from '../contract/views.ts';
import type { Graph } from '../ir/graph.ts';
import { constantNames, type DecideOptions, decidePlan } from './decide.ts';
import { placeWeights } from './placement.ts';
import type { NodePlan, QuantPlan, ValuePlan } from './plan.ts';
import { planStoredWeights } from './plan-weights.ts';

/** What one operator of a mixed plan can be; 16-bit activations go with a whole plan only. */
export type OperatorPrecision = Exclude<Precision, 'auto'>;

export interface MixedOptions extends DecideOptions {
  /** Precision by node name; operators that are not named take the plan's own (int8 where that is `auto`). */
  readonly choices: ReadonlyMap<string, OperatorPrecision>;
}

/**
 * Decides a plan in which operators differ in precision: those in full integers as `decidePlan` would have them, the
 * others in reals with weights stored as they were asked for. Borders arise where the two meet.
 * @param graph of `prepareForTflite`
 * @throws WhittleError `precision.unsupported` where 8-bit and 16-bit activations would meet in one plan,
 * `data.missing` for integer operators without ranges
 */
export function decideMixed(graph: Graph, ranges: Ranges, options: MixedOptions): QuantPlan {
  const base: OperatorPrecision = options.precision === 'auto' ? 'int8' : options.precision;
  const choiceOf = (node: string): OperatorPrecision => options.choices.get(node) ?? base;
  const wide = graph.nodes.filter(({ id }) => choiceOf(id) === 'int16x8').length;
  const narrow = graph.nodes.filter(({ id }) => choiceOf(id) === 'int8').length;
  if (wide > 0 && narrow > 0) {
    throw new WhittleError(
      'precision.unsupported',
      `one plan holds int8 or int16x8 operators, not both (${narrow} and ${wide})`,
      { hint: 'Override to float32, float16, dynamic-int8, weights-int8 or weights-int4 instead.' },
    );
  }
  const integers = wide > 0 ? 'int16x8' : 'int8';
  const leftOut = new Map<string, string>();
  for (const { id } of graph.nodes) {
    if (choiceOf(id) !== integers) leftOut.set(id, `${choiceOf(id)} was chosen`);
  }
  const start =
    leftOut.size < graph.nodes.length
      ? decidePlan(graph, ranges, { ...options, precision: integers, leftOut })
      : decidePlan(graph, ranges, { ...options, precision: 'float32' });
  const values = { ...start.values };
  const nodes: Record<string, NodePlan> = {};
  const placed = {
    'dynamic-int8': placeWeights(graph, 'dynamic-int8'),
    'weights-int8': placeWeights(graph, 'weights-int8'),
    'weights-int4': placeWeights(graph, 'weights-int4'),
  };
  for (const node of graph.nodes) {
    const choice = choiceOf(node.id);
    nodes[node.id] = start.nodes[node.id] ?? { mode: 'float', reason: `${choice} was chosen` };
    if (choice === 'float16') nodes[node.id] = { ...nodes[node.id], storage: 'float16' };
    if (choice !== 'dynamic-int8' && choice !== 'weights-int8' && choice !== 'weights-int4') continue;
    const { mode, storage } = placed[choice].get(node.id)!;
    if (storage) nodes[node.id] = { ...nodes[node.id], storage };
    if (mode === 'float') continue;
    const own: Record<string, ValuePlan> = {};
    const reduced = choice === 'dynamic-int8' && options.form === 'u8s8-reduced';
    planStoredWeights(graph, node, own, choice, reduced);
    // Weights that an integer operator shares keep the form that it needs.
    for (const [id, value] of Object.entries(own)) values[id] ??= value;
    nodes[node.id] = { mode, reason: leftOut.get(node.id)! };
  }
  return { ...start, precision: options.precision, values, nodes, constants: constantNames(graph, values) };
}
