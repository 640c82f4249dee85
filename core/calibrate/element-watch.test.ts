import { expect, test } from 'vitest';
import { floatTensor } from '../ir/tensor.ts';
import { ElementWatch } from './element-watch.ts';
import { MinMaxObserver } from './observers.ts';

/** Of `[1, 2, 2, 2]`: the elements 0 and 3 of channel 0, and 6 of channel 1. */
const tap = { value: 'x', elements: { output: 'statistics', offset: 1, length: 3 }, stride: 3 };
const results = (...picked: number[]) => ({ statistics: floatTensor([4], [99, ...picked]) });

test('elements are divided by the factors of their channels, those that waited for them too', () => {
  const watch = new ElementWatch(new MinMaxObserver(), tap);
  watch.add(results(2, 4, 60));
  watch.settle(Float64Array.of(2, 10), 4);
  watch.add(results(-2, 0, -100));
  expect(watch.finish({ min: -10, max: 6 }).range()).toEqual({ min: -10, max: 6 });
  expect(watch.finish({ min: -11, max: 7 }).range()).toEqual({ min: -11, max: 7 });
});

test('without factors they stay as they are', () => {
  const watch = new ElementWatch(new MinMaxObserver(), tap);
  watch.add(results(2, 4, 60));
  watch.settle(undefined, 8);
  watch.add(results(-2, 0, -100));
  expect(watch.finish({ min: 0, max: 0 }).range()).toEqual({ min: -100, max: 60 });
});
