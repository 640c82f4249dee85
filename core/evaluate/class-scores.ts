import { argmax } from '../kernels/metrics.ts';

/** How an output says which class a sample is. */
export interface ClassOutput {
  readonly name: string;
  /** `vector`: one score per class, the largest wins. `binary`: one number, class 1 from `threshold` on. */
  readonly kind: 'vector' | 'binary';
  readonly threshold: number;
  readonly classes: number;
}

/** What is known of one output of the source over all samples: enough to tell class scores from other vectors. */
export interface OutputProfile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly min: number;
  readonly max: number;
  /** Whether each sample's values were a probability distribution: within 0…1 and of sum 1. */
  readonly distribution: boolean;
}

/** Number of classes when a shape is a vector of scores: at most one axis longer than 1. */
export function scoreCount(shape: readonly number[]): number | undefined {
  const long = shape.filter((dim) => dim !== 1);
  return long.length > 1 ? undefined : (long[0] ?? 1);
}

/**
 * The output that holds class scores. An output named by the caller is taken as such; else the first that is a
 * probability distribution; else, with labels, the first vector that has an entry for each label, or a single number
 * when the labels are 0 and 1. A vector without labels that is no distribution may as well be an embedding: none. A
 * lone number that stays in 0…1 and takes both sides of one half over the samples is a decision, labels or not.
 */
export function findClassOutput(
  profiles: readonly OutputProfile[],
  labels?: ArrayLike<number>,
  named?: string,
): ClassOutput | undefined {
  const largest = labels ? Array.from(labels).reduce((a, b) => Math.max(a, b), -1) : -1;
  const holdsLabels = (count: number) => (count === 1 ? largest <= 1 : largest < count);
  const candidates = profiles
    .filter((profile) => named === undefined || profile.name === named)
    .map((profile) => ({ profile, count: scoreCount(profile.shape) }))
    .filter((entry): entry is { profile: OutputProfile; count: number } => entry.count !== undefined);
  const chosen =
    (named !== undefined ? candidates[0] : undefined) ??
    candidates.find(({ profile, count }) => count > 1 && profile.distribution && holdsLabels(count)) ??
    (labels && candidates.find(({ count }) => count > 1 && holdsLabels(count))) ??
    ((labels && candidates.find(({ count }) => count === 1 && holdsLabels(count))) ||
      (!labels && candidates.find(({ profile, count }) => count === 1 && isDecision(profile))));
  if (!chosen) return undefined;
  const { profile, count } = chosen;
  if (count > 1) return { name: profile.name, kind: 'vector', threshold: 0, classes: count };
  // A sigmoid's middle is 0.5; a number that leaves 0…1 is a logit, whose middle is 0.
  const isProbability = profile.min >= 0 && profile.max <= 1;
  return { name: profile.name, kind: 'binary', threshold: isProbability ? 0.5 : 0, classes: 2 };
}

function isDecision({ min, max }: OutputProfile): boolean {
  return min >= 0 && min < 0.5 && max > 0.5 && max <= 1;
}

/** The class that an output of one sample stands for. */
export function classOf(output: ClassOutput, values: Float32Array): number {
  return classFrom(output, argmax(values), values[0]);
}

/** The same from the index of the largest value and the first value, which is all that it takes. */
export function classFrom(output: ClassOutput, best: number, first: number): number {
  return output.kind === 'vector' ? best : Number(first >= output.threshold);
}
