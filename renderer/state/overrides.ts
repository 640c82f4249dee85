import { type GraphView, type Override, type Precision, precisions } from '../../core/contract/views.ts';

export const overridablePrecisions = precisions.filter(
  (one): one is Exclude<Precision, 'auto'> => one !== 'auto',
);

/** The override that names exactly this operator and nothing else. */
export function overrideOf(overrides: readonly Override[], name: string): Override | undefined {
  return overrides.findLast(({ match, op, precision }) => match === name && op === undefined && precision);
}

/** Overrides with another precision for one operator; none takes its override away. */
export function withOverride(
  overrides: readonly Override[],
  name: string,
  precision: Override['precision'] | undefined,
): Override[] {
  const rest = overrides.flatMap((one) => {
    if (one.match !== name || one.op !== undefined || !one.precision) return [one];
    // How its range is found is another choice, and stays.
    const { precision: _changed, ...others } = one;
    return others.calibration ? [others] : [];
  });
  return precision ? [...rest, { match: name, precision }] : rest;
}

/** A convolution, its normalization (as several operators), its bias and its activation. */
const mostFused = 6;

/**
 * The operator of written files that each operator of the source becomes: itself, or the one after it that it is fused
 * into. Undefined where it branches before, or goes away.
 */
export function operatorsBecome<T extends { readonly name: string }>(
  graph: GraphView,
  operators: readonly T[],
): (T | undefined)[] {
  const known = new Map(operators.map((operator) => [operator.name, operator]));
  const after: number[][] = graph.nodes.map(() => []);
  for (const [from, to] of graph.edges) after[from].push(to);
  return graph.nodes.map((_, node) => {
    for (let at: number | undefined = node, steps = 0; at !== undefined && steps < mostFused; steps += 1) {
      const { id, outputs = [id] } = graph.nodes[at];
      const found = outputs.map((output) => known.get(output)).find(Boolean);
      if (found) return found;
      const next: number[] = after[at];
      at = next.length === 1 ? next[0] : undefined;
    }
    return undefined;
  });
}
