import { type Graph, valueNamed } from '../ir/graph.ts';
import { isOpaque } from '../ir/opaque.ts';
import type { DecideOptions } from './decide.ts';
import { betweenFloats } from './float-stretches.ts';
import { lastStep, recurrentState } from './placement.ts';
import type { NodePlan, PlanWarning, QuantPlan } from './plan.ts';
import { isFloatValue, ruleOf } from './rules.ts';

/** A warning where a plan gives no value integers. */
export function nothingDone(values: QuantPlan['values'], why: string): PlanWarning[] {
  if (Object.keys(values).length > 0) return [];
  return [{ code: 'quantize.nothing', message: `${why}: nothing is stored in them` }];
}

/** Whether an operator with integer kernels stays in float by choice, or has no reals to compute with. */
function isMeant(reason: string): boolean {
  return [lastStep, recurrentState, betweenFloats].includes(reason) || /^(moves|works on)/.test(reason);
}

/** One warning for every operator that stays in float though its neighbours run in integers, one for all recurrences. */
export function islandWarnings(
  graph: Graph,
  nodes: ReadonlyMap<string, NodePlan>,
  options: DecideOptions,
): PlanWarning[] {
  const warnings: PlanWarning[] = [];
  const steps = graph.nodes.filter((node) => nodes.get(node.id)?.reason === recurrentState);
  if (steps.length > 0) {
    warnings.push({
      code: 'quantize.recurrence',
      message: `${steps.length} operators keep float32 activations (weights are 8-bit): ${recurrentState}`,
    });
  }
  for (const node of graph.nodes) {
    const plan = nodes.get(node.id);
    if (options.leftOut?.has(node.id)) continue;
    const isReal = isOpaque(node.op) || node.outputs.some((id) => isFloatValue(valueNamed(graph, id)));
    if (plan?.mode !== 'float' || !isReal) continue;
    if (ruleOf(node) && isMeant(plan.reason)) continue;
    warnings.push({
      code: options.pureInteger ? 'quantize.not-integer' : 'quantize.float-island',
      message: `${node.op} stays in float32: ${plan.reason}`,
      node: node.id,
    });
  }
  return warnings;
}
