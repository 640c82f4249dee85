import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import { addToHistogram, createHistogram, type Histogram, mergeHistogram } from '../kernels/histogram.ts';
import { entropyRange, fullRange, leastSquaresRange, percentileRange } from '../kernels/range-search.ts';
import { type Extent, extentOf } from '../kernels/scan.ts';
import type { Observer, Range } from './observer.ts';

/** The smallest and largest element of all samples. */
export class MinMaxObserver implements Observer {
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;

  observe(data: Float32Array): void {
    this.include(extentOf(data));
  }

  merge(other: this): void {
    this.include({ min: other.min, max: other.max });
  }

  range(): Range {
    return this.max < this.min ? { min: 0, max: 0 } : { min: this.min, max: this.max };
  }

  private include({ min, max }: Extent): void {
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }
}

/** The mean over samples of each sample's smallest and largest element: a single outlying sample moves it little. */
export class MovingAverageObserver implements Observer {
  private minSum = 0;
  private maxSum = 0;
  private samples = 0;

  observe(data: Float32Array): void {
    const { min, max } = extentOf(data);
    if (max < min) return;
    this.minSum += min;
    this.maxSum += max;
    this.samples++;
  }

  merge(other: this): void {
    this.minSum += other.minSum;
    this.maxSum += other.maxSum;
    this.samples += other.samples;
  }

  range(): Range {
    if (this.samples === 0) return { min: 0, max: 0 };
    return { min: this.minSum / this.samples, max: this.maxSum / this.samples };
  }
}

type RangeRule = (histogram: Histogram) => Extent;

/** Keeps a histogram of all samples and lets a rule choose the range at the end. */
export class HistogramObserver implements Observer {
  protected readonly histogram = createHistogram();
  private readonly rule: RangeRule;

  constructor(rule: RangeRule) {
    this.rule = rule;
  }

  observe(data: Float32Array): void {
    addToHistogram(this.histogram, data);
  }

  merge(other: this): void {
    mergeHistogram(this.histogram, other.histogram);
  }

  range(): Range {
    return this.rule(this.histogram);
  }
}

/** Part of the elements that the percentile observer keeps inside: onnxruntime's default. */
const keptFraction = 0.99999;
const int8Levels = 255;
const int8LevelsOneSide = 128;

const byPercentile: RangeRule = (histogram) => percentileRange(histogram, keptFraction);
const byEntropy: RangeRule = (histogram) => entropyRange(histogram, int8LevelsOneSide);
const byError: RangeRule = (histogram) => leastSquaresRange(histogram, int8Levels);
/** A closer cut than the percentile observer's own. */
const byCloserPercentile: RangeRule = (histogram) => percentileRange(histogram, 0.9999);

/** Candidates whose ends differ by less than this part of the range are one. */
const apart = 0.02;

/** What a distribution offers to choose from. */
export interface Offers {
  /** The choices of the other observers, in the same order for every value. */
  readonly byRule: readonly Extent[];
  /** Those that differ, after the range seen. */
  readonly different: readonly Extent[];
}

/** Offers the ranges that other observers would choose; which one it is, `chooseRanges` finds out by trying them. */
export class CandidateObserver extends HistogramObserver {
  constructor() {
    super(fullRange);
  }

  offers(): Offers {
    const byRule = [byPercentile, byCloserPercentile, byEntropy, byError].map((rule) => rule(this.histogram));
    const different = [fullRange(this.histogram)];
    const width = different[0].max - different[0].min;
    for (const range of byRule) {
      const isNew = different.every(
        ({ min, max }) => Math.max(Math.abs(min - range.min), Math.abs(max - range.max)) > apart * width,
      );
      if (isNew) different.push(range);
    }
    return { byRule, different };
  }
}

export interface ObserverKind {
  create(): Observer;
  /** Whether one sample's smallest and largest element tell the observer all it needs. */
  readonly extentOnly: boolean;
  /** How many elements of a value it wants to see, of all samples together. */
  readonly elements: number;
  /** Whether its candidates are to be tried. */
  readonly tried?: boolean;
}

/** Elements that show a distribution, and so many that its outermost hundred-thousandth part is more than one of them. */
const forShape = 2 ** 17;
const forTails = 2 ** 18;

const histogramKind = (rule: RangeRule, elements: number): ObserverKind => ({
  create: () => new HistogramObserver(rule),
  extentOnly: false,
  elements,
});

const kinds: Readonly<Record<Calibration, ObserverKind>> = {
  minmax: { create: () => new MinMaxObserver(), extentOnly: true, elements: 0 },
  'moving-average': { create: () => new MovingAverageObserver(), extentOnly: true, elements: 0 },
  percentile: histogramKind(byPercentile, forTails),
  entropy: histogramKind(byEntropy, forShape),
  mse: histogramKind(byError, forShape),
  auto: { create: () => new CandidateObserver(), extentOnly: false, elements: forTails, tried: true },
};

/** The observer that a recipe's `calibration` names. @throws WhittleError `recipe.invalid` for an unknown name. */
export function observerKind(calibration: Calibration): ObserverKind {
  const kind = kinds[calibration];
  if (!kind) {
    throw new WhittleError('recipe.invalid', `calibration is ${calibration}`, {
      hint: `Choose one of ${Object.keys(kinds).join(', ')}.`,
    });
  }
  return kind;
}
