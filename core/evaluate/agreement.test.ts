import { expect, it } from 'vitest';
import type { Session } from '../ir/engine.ts';
import { floatTensor } from '../ir/tensor.ts';
import { datasetOf } from '../testing/dataset-of.ts';
import { compareTwins } from './agreement.ts';

const dataset = datasetOf([1], [[0], [1], [2]]);

const types = { dtype: 'float32', shape: [4] } as const;

/** A session whose output is four numbers and, on the last sample, something added to the first of them. */
function giving(added: number): Session {
  return {
    engine: 'ort',
    description: 'test',
    inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
    outputs: [{ name: 'y', ...types }],
    loadMs: 0,
    run: async ({ x }) => {
      const index = new Float32Array(x.bytes.slice().buffer)[0];
      return { y: floatTensor([4], [index === 2 ? added : 0, 1, -1, 25.5]) };
    },
    time: async () => new Float64Array(),
    close: async () => {},
  };
}

it('counts elements within one step, of the plan or of 8 bits over the range', async () => {
  const compare = (added: number, steps = {}) =>
    compareTwins({ session: giving(0) }, { session: giving(added) }, dataset, steps, { samples: 3 });
  expect(await compare(0)).toEqual({ samples: 3, withinOneStep: 1, sqnrDb: null });
  expect((await compare(0.2, { y: 0.2 })).withinOneStep).toBe(1);
  expect((await compare(0.21, { y: 0.2 })).withinOneStep).toBeCloseTo(11 / 12);
  // The range is −1 to 25.5: a step of about 0.104.
  expect((await compare(0.1)).withinOneStep).toBe(1);
  expect((await compare(0.11)).withinOneStep).toBeCloseTo(11 / 12);
});
