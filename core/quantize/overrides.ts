import type { Override } from '../contract/views.ts';
import type { Graph } from '../ir/graph.ts';
import type { OperatorPrecision } from './decide-mixed.ts';
import type { PlanWarning } from './plan.ts';

/**
 * The precision of each operator that a recipe's overrides name. `match` is the name of an operator or of one of its
 * results; `*` stands for any characters, `?` for one. Where several match, the last one counts.
 */
export function resolveOverrides(
  graph: Graph,
  overrides: readonly Override[],
): { choices: Map<string, OperatorPrecision>; warnings: PlanWarning[] } {
  const choices = new Map<string, OperatorPrecision>();
  const warnings: PlanWarning[] = [];
  for (const { match, precision } of overrides) {
    const pattern = patternOf(match);
    const named = graph.nodes.filter((node) => [node.id, ...node.outputs].some((name) => pattern.test(name)));
    for (const { id } of named) choices.set(id, precision);
    if (named.length === 0) {
      warnings.push({ code: 'recipe.override-unmatched', message: `no operator is called ${match}` });
    }
  }
  return { choices, warnings };
}

function patternOf(match: string): RegExp {
  const escaped = match.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
}
