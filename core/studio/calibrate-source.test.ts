import { expect, test } from 'vitest';
import { Recipe } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { datasetOf } from '../testing/dataset-of.ts';
import { calibrateSource } from './calibrate-source.ts';

const { ort } = createEngines();

/** y = 2 · x, of two numbers. */
function net(): Graph {
  const builder = new GraphBuilder('net', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 2] });
  const w = builder.constant('w', floatTensor([1, 2], [2, 2]));
  builder.one('Mul', [x, w], { activation: 'none' }, { name: 'mul', outputs: ['y'] });
  return builder.finish(['y'], { format: 'onnx' });
}

const dataset = (samples: readonly (readonly number[])[], labels?: readonly number[]): Dataset =>
  datasetOf([1, 2], samples, labels);

const alike = Array.from({ length: 8 }, (_, i) => [-1 - i / 100, 1 + i / 100]);
const run = (data: Dataset, recipe: Partial<Recipe> = {}, wanted: number[] = []) =>
  calibrateSource(net(), data, ort, {
    recipe: Recipe.parse(recipe),
    observers: new Map(),
    wanted: new Set(wanted),
    onProgress: () => {},
  });

test('the account names how samples were chosen, and changes with any of them', async () => {
  const { view, warnings } = await run(dataset(alike));
  expect(view).toMatchObject({ path: 'samples.npz', samples: 8, available: 8, chosen: 'all', classes: [] });
  expect(warnings).toEqual([]);
  expect((await run(dataset(alike), { calibration: 'entropy' })).view.sha256).toBe(view.sha256);
  expect((await run(dataset(alike.with(3, [0, 0])))).view.sha256).not.toBe(view.sha256);

  expect((await run(dataset(alike), { samples: 4, seed: 5 })).view).toMatchObject({
    samples: 4,
    chosen: 'random',
    seed: 5,
  });
  const labelled = await run(dataset(alike, [0, 0, 0, 0, 0, 0, 1, 1]), { samples: 4 });
  expect(labelled.view).toMatchObject({
    chosen: 'by-class',
    classes: [
      { name: '0', count: 2 },
      { name: '1', count: 2 },
    ],
  });
});

test('halves that give other ranges are told with the value, the figures and what to do', async () => {
  const { warnings, view } = await run(dataset(alike.with(3, [-1, 9])));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ code: 'calibration.unsteady', node: 'x' });
  expect(warnings[0].message).toContain('differ by 79 % at x (-1.06 to 1.06 against -1.07 to 9)');
  expect(warnings[0].message).toContain('at least 64 typical ones.');
  expect(view.stability?.difference).toBeCloseTo(7.94 / 10.07);
  expect((await run(dataset(alike), { samples: 1 })).warnings[0].message).toContain('8 are there');
});

test('answers of the samples that are wanted are kept', async () => {
  const { answers } = await run(dataset(alike), {}, [2, 5]);
  expect([...answers.keys()]).toEqual([2, 5]);
  expect([...toFloat32(answers.get(5)!.y)]).toEqual([...Float32Array.of(-1.05, 1.05)].map((x) => 2 * x));
});
