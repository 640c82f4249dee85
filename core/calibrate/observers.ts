import { WhittleError } from '../contract/errors.ts';
import type { Calibration } from '../contract/views.ts';
import { addToHistogram, createHistogram, mergeHistogram } from '../kernels/histogram.ts';
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

/** Of a sample's tensor about so many elements are counted; the ends are those of all. */
const enoughElements = 32768;

type RangeRule = (histogram: ReturnType<typeof createHistogram>) => Extent;

/** Keeps a histogram of all samples and lets a rule choose the range at the end. */
export class HistogramObserver implements Observer {
  private readonly histogram = createHistogram();
  private readonly rule: RangeRule;

  constructor(rule: RangeRule) {
    this.rule = rule;
  }

  observe(data: Float32Array): void {
    // An odd stride meets all positions of rows and channels in turn.
    addToHistogram(this.histogram, data, Math.floor(data.length / enoughElements) | 1);
  }

  merge(other: this): void {
    mergeHistogram(this.histogram, other.histogram);
  }

  range(): Range {
    return { ...this.rule(this.histogram), seen: fullRange(this.histogram) };
  }
}

/** Part of the elements that the percentile observer keeps inside: onnxruntime's default. */
const keptFraction = 0.99999;

export interface ObserverKind {
  create(): Observer;
  /** Whether one sample's smallest and largest element tell the observer all it needs. */
  readonly extentOnly: boolean;
}

const int8Levels = 255;
const int8LevelsOneSide = 128;

const mse: ObserverKind = {
  create: () => new HistogramObserver((histogram) => leastSquaresRange(histogram, int8Levels)),
  extentOnly: false,
};

const kinds: Readonly<Record<Calibration, ObserverKind>> = {
  minmax: { create: () => new MinMaxObserver(), extentOnly: true },
  'moving-average': { create: () => new MovingAverageObserver(), extentOnly: true },
  percentile: {
    create: () => new HistogramObserver((histogram) => percentileRange(histogram, keptFraction)),
    extentOnly: false,
  },
  entropy: {
    create: () => new HistogramObserver((histogram) => entropyRange(histogram, int8LevelsOneSide)),
    extentOnly: false,
  },
  mse,
  auto: mse,
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
