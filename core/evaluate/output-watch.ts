import { ErrorSums } from '../kernels/metrics.ts';
import type { OutputProfile } from './class-scores.ts';

/** What was seen of one output of an artifact over all samples. */
export interface WatchedOutput {
  readonly name: string;
  readonly values: number;
  readonly sqnrDb: number | null;
  readonly notFinite: number;
  /** First sample (position in the reference) with a value that is not finite. */
  readonly firstNotFinite?: number;
  /** Largest change of any one element between samples, in the artifact and in the source. */
  readonly spread: number;
  readonly referenceSpread: number;
  /** Present where the source's output is a probability distribution: the sum that is farthest from one. */
  readonly worstSum?: number;
  /** Values of one sample. */
  readonly perSample: number;
}

/** Gathers it in memory of the size of one output. */
export class OutputWatch {
  readonly name: string;
  private readonly distribution: boolean;
  private readonly sums = new ErrorSums();
  private readonly own = new ElementRange();
  private readonly reference = new ElementRange();
  private notFinite = 0;
  private firstNotFinite: number | undefined;
  private worstSum = 1;
  private count = 0;
  private perSample = 0;

  constructor(profile: OutputProfile) {
    this.name = profile.name;
    this.distribution = profile.distribution;
  }

  observe(n: number, reference: Float32Array, values: Float32Array): void {
    this.sums.add(reference, values);
    this.own.add(values);
    this.reference.add(reference);
    this.count += values.length;
    this.perSample = values.length;
    let sum = 0;
    let bad = 0;
    for (const value of values) {
      sum += value;
      if (!Number.isFinite(value)) bad++;
    }
    this.notFinite += bad;
    if (bad > 0) this.firstNotFinite ??= n;
    if (!(Math.abs(sum - 1) <= Math.abs(this.worstSum - 1))) this.worstSum = sum;
  }

  summary(): WatchedOutput {
    return {
      name: this.name,
      values: this.count,
      sqnrDb: this.sums.sqnrDb(),
      notFinite: this.notFinite,
      ...(this.firstNotFinite !== undefined && { firstNotFinite: this.firstNotFinite }),
      spread: this.own.largest(),
      referenceSpread: this.reference.largest(),
      ...(this.distribution && { worstSum: this.worstSum }),
      perSample: this.perSample,
    };
  }
}

/** Smallest and largest value of each element over the samples. */
class ElementRange {
  private low = new Float32Array(0);
  private high = new Float32Array(0);

  add(values: Float32Array): void {
    if (this.low.length !== values.length) {
      this.low = values.slice();
      this.high = values.slice();
      return;
    }
    const { low, high } = this;
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low[i]) low[i] = values[i];
      if (values[i] > high[i]) high[i] = values[i];
    }
  }

  largest(): number {
    let largest = 0;
    for (let i = 0; i < this.low.length; i++) largest = Math.max(largest, this.high[i] - this.low[i]);
    return largest;
  }
}
