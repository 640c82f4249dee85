import type { Dataset } from '../data/dataset.ts';
import { floatTensor } from '../ir/tensor.ts';

/** Samples of one input x, all of one shape, held in memory. */
export function datasetOf(
  shape: readonly number[],
  samples: readonly (readonly number[])[],
  labels?: readonly number[],
): Dataset {
  return {
    path: 'samples.npz',
    kind: 'npz',
    count: samples.length,
    labels: labels && Int32Array.from(labels),
    sample: async (index) => ({ x: floatTensor(shape, samples[index]) }),
    close: async () => {},
  };
}
