import type { Observer, Range } from './observer.ts';
import type { Results } from './run-samples.ts';
import { readSlice, type Tap } from './statistics-graph.ts';

/**
 * Hands an observer the elements picked of one value, divided by the factors of its channels. Which factors those are is
 * decided when some samples were seen: until then elements wait.
 */
export class ElementWatch {
  private readonly observer: Observer;
  private readonly tap: Tap;
  private waiting: Float32Array[] | undefined = [];
  private divisors: Float64Array | undefined;
  private divided = new Float32Array(0);

  constructor(observer: Observer, tap: Tap) {
    this.observer = observer;
    this.tap = tap;
  }

  add(results: Results): void {
    const elements = readSlice(results, this.tap.elements!);
    if (this.waiting) this.waiting.push(elements.slice());
    else this.observe(elements);
  }

  /**
   * @param factors per channel; none where channels stay as they are
   * @param inner elements from one channel to the next, in the order of memory
   */
  settle(factors: Float64Array | undefined, inner: number): void {
    const { length } = this.tap.elements!;
    const stride = this.tap.stride!;
    this.divided = new Float32Array(factors ? length : 0);
    this.divisors =
      factors &&
      Float64Array.from({ length }, (_, i) => factors[Math.floor((i * stride) / inner) % factors.length]);
    for (const elements of this.waiting ?? []) this.observe(elements);
    this.waiting = undefined;
  }

  /** The observer, with the ends of all elements, which picks may have missed. */
  finish({ min, max }: Range): Observer {
    this.observer.observe(Float32Array.of(min, max));
    return this.observer;
  }

  private observe(elements: Float32Array): void {
    const { divisors, divided } = this;
    if (divisors) for (let i = 0; i < divided.length; i++) divided[i] = elements[i] / divisors[i];
    this.observer.observe(divisors ? divided : elements);
  }
}
