import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import { floatTensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { datasetOf } from '../testing/dataset-of.ts';
import { calibrate } from './calibrate.ts';

const { ort } = createEngines();
const width = 256;
const count = 8;

/** Numbers within ±1 but for a few of 40, which the weights of what reads them meet with 0 or with 1. */
function outliers(met: 0 | 1) {
  const builder = new GraphBuilder('outliers', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, width] });
  const weights = Array.from({ length: 4 * width }, (_, i) => (i % width === 7 ? met : Math.sin(i * 1.7)));
  const matrix = builder.constant('w', floatTensor([4, width], weights));
  builder.one('FullyConnected', [x, matrix, null], { activation: 'none' }, { outputs: ['y'] });
  const sample = (_: unknown, n: number) =>
    Array.from({ length: width }, (_, i) => (i === 7 ? 40 : Math.sin(i * 12.9898 + n)));
  return {
    graph: builder.finish(['y'], { format: 'keras' }),
    dataset: datasetOf([1, width], Array.from({ length: count }, sample)),
  };
}

describe('ranges chosen by the error that they cause', () => {
  it.each([
    ['cut off outliers that nothing weighs', 0, 10],
    ['keep outliers that count', 1, 39],
  ] as const)('%s', async (_case, met, expected) => {
    const { graph, dataset } = outliers(met);
    const options = { samples: count, seed: 0, equalize: false };
    const { ranges } = await calibrate(graph, dataset, ort, { ...options, observer: 'auto' });
    const { max, seen } = ranges.get('x')!;
    expect(seen!.max).toBe(40);
    if (met === 0) expect(max).toBeLessThan(expected);
    else expect(max).toBeGreaterThan(expected);
  });
});
