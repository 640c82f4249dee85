import type { ActivationView, FindingView, Precision, QualityView, Recipe } from '../../contract/views.ts';

/** One operator of a file, as the findings look at it. */
export interface OperatorFacts {
  /** Name of its result. */
  readonly name: string;
  readonly op: string;
  /** What the plan made of it. */
  readonly mode: 'float' | 'integer' | 'hybrid' | 'weights-only';
  /** Names of the results of other operators, or of the model's inputs, that it reads. */
  readonly inputs: readonly string[];
  /** Its output's scale is set by the specification and not by calibration. */
  readonly fixedScale: boolean;
  /** It has weights, quantized or not. */
  readonly weighted: boolean;
  /** Of its weights, where they are stored as integers: bits, and how far the largest of a channel stands out. */
  readonly weights?: {
    readonly bits: number;
    /** Largest ratio over channels of the largest magnitude to the root of the mean square. */
    readonly peakToRms: number;
    readonly channel: number;
  };
  /** Of its result against the float source; undefined where they could not be compared. */
  readonly sqnrDb?: number | null;
  readonly activation?: ActivationView;
}

/** All that is known of a file when it was looked into. */
export interface FindingFacts {
  readonly precision: Precision;
  readonly recipe: Recipe;
  /** Of the file's outputs. */
  readonly quality: QualityView;
  /** Samples there are; 0 when none were given. */
  readonly samples: number;
  /** In order of execution. */
  readonly operators: readonly OperatorFacts[];
}

/** A kind of finding. `find` gives the worst first. */
export interface FindingKind {
  readonly id: string;
  find(facts: FindingFacts): Found[];
}

/** A finding with what it is ranked by: decibels that may be won, roughly. */
export interface Found extends Omit<FindingView, 'id'> {
  readonly weight: number;
  /** Results that it speaks of beside `node`. */
  readonly explains?: readonly string[];
}

/** Results above this need no remark: what is lost there is not seen in the output. */
export const goodDb = 45;

/** So many operators of one kind are named. */
export const mostOfKind = 3;

export function find(facts: FindingFacts, name: string): OperatorFacts | undefined {
  return facts.operators.find((operator) => operator.name === name);
}

/** The operators that read a result. */
export function readersOf(facts: FindingFacts, name: string): OperatorFacts[] {
  return facts.operators.filter((operator) => operator.inputs.includes(name));
}

/** Quality of an operator's result in dB; without any error, or unknown, it is as good as can be. */
export function qualityOf({ sqnrDb }: OperatorFacts): number {
  return sqnrDb ?? Number.POSITIVE_INFINITY;
}

export interface Loss {
  readonly db: number;
  /** The operator that the comparison starts from, its result's quality in dB; the model's input where left out. */
  readonly from?: { readonly name: string; readonly db: number };
}

/**
 * Decibels that are lost up to an operator's result, from the worst of its operands; where an operand was not measured,
 * from the results that it was made from. From the model's input it is what lacks to `goodDb`.
 */
export function lossOf(facts: FindingFacts, operator: OperatorFacts): Loss {
  const quality = qualityOf(operator);
  const worst = measuredBefore(facts, operator, new Set()).reduce<OperatorFacts | undefined>(
    (least, one) => (least && qualityOf(least) <= qualityOf(one) ? least : one),
    undefined,
  );
  const start = Math.min(worst ? qualityOf(worst) : Number.POSITIVE_INFINITY, goodDb);
  const db = Math.max(0, start - quality);
  return worst && qualityOf(worst) <= goodDb
    ? { db, from: { name: worst.name, db: qualityOf(worst) } }
    : { db };
}

/** The nearest operators before one whose results were compared. */
function measuredBefore(facts: FindingFacts, operator: OperatorFacts, seen: Set<string>): OperatorFacts[] {
  return operator.inputs.flatMap((name) => {
    const maker = find(facts, name);
    if (!maker || seen.has(name)) return [];
    seen.add(name);
    return maker.sqnrDb === undefined ? measuredBefore(facts, maker, seen) : [maker];
  });
}

/**
 * Quality at the end of the network in dB, the worst of its results. A final softmax lifts the figure, because its
 * largest values are nearly exact: what it reads counts there.
 */
export function endDb(facts: FindingFacts): number {
  const read = new Set(facts.operators.flatMap(({ inputs }) => inputs));
  const ends = facts.operators.filter(({ name }) => !read.has(name));
  const measured = ends.flatMap((one) => {
    const before = one.op === 'Softmax' ? measuredBefore(facts, one, new Set()) : [];
    return [one, ...before].map(qualityOf);
  });
  return Math.min(...measured, facts.quality.sqnrDb ?? Number.POSITIVE_INFINITY);
}

/** Above the end's quality by this much, an operator's error is at most a quarter of what arrives there. */
const quarterDb = 6;

/** Whether an operator's error is a good part of what arrives at the end. */
export function weighsAtEnd(facts: FindingFacts, operator: OperatorFacts): boolean {
  return qualityOf(operator) <= endDb(facts) + quarterDb;
}

/** A loss as the beginning of a sentence. */
export function writeLoss(operator: OperatorFacts, { from }: Loss): string {
  const here = `${write(qualityOf(operator))} dB here`;
  return from ? `From ${write(from.db)} dB at ${from.name} to ${here}.` : `${here}, at the beginning.`;
}

/** A trial that computes operators in float; those that read a result read it unrounded only when they do so too. */
export function keepFloat(text: string, operators: readonly OperatorFacts[]): FindingView['trial'] {
  const names = [...new Set(operators.filter(({ mode }) => mode !== 'float').map(({ name }) => name))];
  if (names.length === 0) return undefined;
  return { text, recipe: { overrides: names.map((match) => ({ match, precision: 'float32' as const })) } };
}

/** A figure for a sentence: three digits, without an exponent where it can be. */
export function write(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function writePercent(share: number): string {
  return `${write(share * 100)} %`;
}
