import { type Graph, type ValueId, valueNamed } from '../ir/graph.ts';
import { elementCount, toFloat32 } from '../ir/tensor.ts';
import type { Extent } from '../kernels/scan.ts';
import type { CandidateObserver } from './observers.ts';
import { type ErrorFigures, type RangeTrial, withChoices, withTrials } from './range-trials.ts';
import { type Run, runSamples } from './run-samples.ts';

/** A narrower range than the one seen has to leave less than this part of its error, by how bold a choice is. */
const worthwhile = [0.9, 0.5];

/** Trials repeat operators for each candidate: so many elements in all are looked at, on 8 samples at least. */
const trialElements = 2 ** 26;
const leastTrialSamples = 8;

/** On how many samples ranges of these values are tried. */
export function trialSamples(graph: Graph, values: readonly ValueId[]): number {
  const elements = values.reduce(
    (sum, id) => sum + elementCount(valueNamed(graph, id).type.shape.map(Number)),
    1,
  );
  return Math.max(Math.floor(trialElements / elements), leastTrialSamples);
}

/**
 * Picks for each value the candidate with the least error where it is felt: at the outputs of the operators that read
 * it, relative to their power, measured in the real engine. Errors of one kind add up on the way and others cancel out,
 * which no single operator shows: whether these picks, more or less bold ones, or one observer's ranges for all values
 * are best, the graph's own outputs decide.
 * @param graph whose values the observers saw
 * @param indices of the samples to try on, each of which is run twice
 */
export async function chooseRanges(
  graph: Graph,
  observers: ReadonlyMap<ValueId, CandidateObserver>,
  indices: readonly number[],
  run: Run,
): Promise<ReadonlyMap<ValueId, Extent>> {
  const offers = new Map([...observers].map(([id, observer]) => [id, observer.offers()]));
  const trials: RangeTrial[] = [];
  for (const [value, { different: candidates }] of offers) {
    if (candidates.length > 1) trials.push({ value, candidates });
  }
  const seen = new Map([...offers].map(([id, { different }]) => [id, different[0]]));
  if (trials.length === 0) return seen;
  const tried = withTrials(graph, trials);
  const sums = await sumOutputs(tried.graph, indices, run);
  const picks = worthwhile.map((share) => {
    const picked = new Map(seen);
    for (const { trial, readers } of tried.figures) {
      picked.set(trial.value, trial.candidates[leastError(relativeErrors(readers, sums), share)]);
    }
    return picked;
  });
  const rules = [...offers.values()][0].byRule.length;
  const byRule = Array.from({ length: rules }, (_, rule) => {
    return new Map([...offers].map(([id, offer]) => [id, offer.byRule[rule]]));
  });
  const choices = [seen, ...picks.toReversed(), ...byRule];
  const compared = withChoices(graph, choices);
  const errors = relativeErrors(compared.figures, await sumOutputs(compared.graph, indices, run));
  return choices[leastError(errors, 1)];
}

async function sumOutputs(
  graph: Graph,
  indices: readonly number[],
  run: Run,
): Promise<ReadonlyMap<ValueId, number>> {
  const sums = new Map<ValueId, number>();
  await runSamples(graph, indices, run, (results) => {
    for (const id of graph.outputs) sums.set(id, (sums.get(id) ?? 0) + toFloat32(results[id])[0]);
  });
  return sums;
}

/** Error over power by candidate, added up over places. */
function relativeErrors(
  places: readonly ErrorFigures[],
  sums: ReadonlyMap<ValueId, number>,
): readonly number[] {
  const errors: number[] = places[0]?.errors.map(() => 0) ?? [];
  for (const place of places) {
    const power = sums.get(place.power)!;
    place.errors.forEach((id, i) => {
      if (power > 0) errors[i] += sums.get(id)! / power;
    });
  }
  return errors;
}

/** Place of the least number; the first is kept unless another is less than `share` of it. */
function leastError(errors: readonly number[], share: number): number {
  let best = 0;
  for (let i = 1; i < errors.length; i++) {
    if (errors[i] < (best === 0 ? share : 1) * errors[best]) best = i;
  }
  return best;
}
