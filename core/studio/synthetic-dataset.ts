import type { Dataset } from '../data/dataset.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import { randomFeeds } from '../profile/feeds.ts';

const syntheticSamples = 4;

/** The `path` of samples that nobody gave. */
export const randomSamples = 'random samples';

/** Random samples for checking a file when the user gave none. The same seed gives the same samples. */
export function syntheticDataset(inputs: readonly InputSpec[], seed: number): Dataset {
  return {
    path: randomSamples,
    kind: 'npz',
    count: syntheticSamples,
    sample: async (index) => randomFeeds(inputs, seed * syntheticSamples + index),
    close: async () => {},
  };
}
