import { type Graph, producersOf, staticShape, type ValueId, valueNamed } from '../ir/graph.ts';
import { integerRule } from './integer-rules.ts';

/**
 * Outputs that an operator with a scale fixed by the specification makes (a softmax, a sigmoid), with its operand, where
 * networks are better compared: behind it all samples but a few are certain, and those few would decide. Only vectors
 * of scores, whose axis orders are all one.
 */
export function beforeFixedSteps(graph: Graph): Map<ValueId, ValueId> {
  const shown = new Map<ValueId, ValueId>();
  const makers = producersOf(graph);
  for (const id of graph.outputs) {
    const maker = makers.get(id);
    const operand = maker?.inputs[0];
    const isFixed = maker && integerRule(maker)?.outputs[0]?.kind === 'fixed';
    if (isFixed && operand && staticShape(valueNamed(graph, operand)).length <= 2) shown.set(id, operand);
  }
  return shown;
}
