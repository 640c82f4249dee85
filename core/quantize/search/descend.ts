import type { OperatorPrecision } from '../decide-mixed.ts';

/** One precision of one group: what it costs (any unit) and the error power that it alone brings to the outputs. */
export interface Choice {
  readonly precision: OperatorPrecision;
  readonly cost: number;
  /** Error power over signal power, at least 0. */
  readonly noise: number;
}

export interface GroupChoices {
  readonly id: string;
  /** At least one. */
  readonly choices: readonly Choice[];
}

/** From one choice of a group to its next cheaper one. */
export interface Step {
  readonly group: string;
  readonly from: Choice;
  readonly to: Choice;
}

/** Precision by group. */
export type Assignment = ReadonlyMap<string, OperatorPrecision>;

/**
 * The choices of one group that can be best for some price of error: the lower convex hull, from the least noise to the
 * least cost.
 */
export function convexChoices(choices: readonly Choice[]): Choice[] {
  const sorted = [...choices].sort((a, b) => a.noise - b.noise || a.cost - b.cost);
  const hull: Choice[] = [];
  for (const choice of sorted) {
    if (hull.length > 0 && choice.cost >= hull[hull.length - 1].cost) continue;
    while (
      hull.length > 1 &&
      gain(hull[hull.length - 2], hull[hull.length - 1]) <= gain(hull[hull.length - 1], choice)
    )
      hull.pop();
    hull.push(choice);
  }
  return hull;
}

/** Cost saved per error that is added. */
function gain(from: Choice, to: Choice): number {
  const noise = to.noise - from.noise;
  return noise <= 0 ? Number.POSITIVE_INFINITY : (from.cost - to.cost) / noise;
}

/**
 * All steps from the plan of least error to the one of least cost, the best bargains first: each prefix is the best
 * answer to the relaxed multiple-choice knapsack problem for the error that it has (Sinha and Zoltners, "The
 * Multiple-Choice Knapsack Problem", 1979), where errors of groups add up, as independent ones do.
 */
export function descent(groups: readonly GroupChoices[]): { start: Assignment; steps: Step[] } {
  const start = new Map<string, OperatorPrecision>();
  const steps: (Step & { readonly gain: number; readonly order: number })[] = [];
  for (const { id, choices } of groups) {
    const hull = convexChoices(choices);
    start.set(id, hull[0].precision);
    for (let i = 1; i < hull.length; i++) {
      const [from, to] = [hull[i - 1], hull[i]];
      steps.push({ group: id, from, to, gain: gain(from, to), order: steps.length });
    }
  }
  steps.sort((a, b) => (a.gain === b.gain ? a.order - b.order : b.gain - a.gain));
  return { start, steps: steps.map(({ group, from, to }) => ({ group, from, to })) };
}

/** What an assignment becomes after some steps. */
export function take(start: Assignment, steps: readonly Step[]): Assignment {
  const result = new Map(start);
  for (const { group, to } of steps) result.set(group, to.precision);
  return result;
}

/**
 * Walks down as far as `accepts` lets it, in at most `most` looks: halves the steps to find the first that is refused,
 * leaves out that step and the further ones of its group, and goes on with the rest.
 * @returns the steps that were taken
 */
export async function walkDown(
  steps: readonly Step[],
  most: number,
  accepts: (taken: readonly Step[]) => Promise<boolean>,
): Promise<Step[]> {
  let taken: Step[] = [];
  let rest = [...steps];
  let looks = 0;
  const look = async (count: number): Promise<boolean> => {
    looks++;
    return accepts([...taken, ...rest.slice(0, count)]);
  };
  while (rest.length > 0 && looks < most) {
    if (await look(rest.length)) return [...taken, ...rest];
    let good = 0;
    let bad = rest.length;
    while (bad - good > 1 && looks < most) {
      const middle = (good + bad) >> 1;
      if (await look(middle)) good = middle;
      else bad = middle;
    }
    taken = [...taken, ...rest.slice(0, good)];
    if (bad - good > 1) break;
    const refused = rest[good].group;
    rest = rest.slice(bad).filter(({ group }) => group !== refused);
  }
  return taken;
}
