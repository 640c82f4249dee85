import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Calibration, calibrations } from '../contract/views.ts';
import type { Dataset } from '../data/dataset.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Engine } from '../ir/engine.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, int64Tensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { datasetOf } from '../testing/dataset-of.ts';
import { calibrate } from './calibrate.ts';
import { observerKind } from './observers.ts';
import type { Results } from './run-samples.ts';
import { channelAxes, watchedValues } from './watch.ts';

const { ort } = createEngines();

/** x `[1, 2, 2, 2]` NCHW → 1×1 convolution (y0 = 2·x0, y1 = x1 − 1) → ReLU fused → maximum pooling → flattened. */
function net(): Graph {
  const builder = new GraphBuilder('net', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 2, 2, 2] });
  const w = builder.constant('w', floatTensor([2, 2, 1, 1], [2, 0, 0, 1]));
  const b = builder.constant('b', floatTensor([2], [0, -1]));
  const spatial = { layout: 'NCHW', dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
  const conv = builder.one(
    'Conv',
    [x, w, b],
    { ...spatial, strides: [1, 1], group: 1, activation: 'relu' },
    { name: 'conv' },
  );
  const pooled = builder.one(
    'MaxPool',
    [conv],
    { ...spatial, strides: [2, 2], kernelShape: [2, 2], ceilMode: false, activation: 'none' },
    { name: 'pool' },
  );
  const shape = builder.constant('shape', int64Tensor([2], [1, 2]));
  builder.one('Reshape', [pooled, shape], { allowZero: false }, { name: 'flat', outputs: ['y'] });
  return builder.finish(['y'], { format: 'onnx' });
}

/** Samples of the net: all elements of channel 0, then all of channel 1. */
const dataset = (samples: readonly (readonly number[])[], labels?: readonly number[]): Dataset =>
  datasetOf([1, 2, 2, 2], samples, labels);

const samples = [
  [0, 1, 2, 3, 0, 0, 0, 0],
  [-1, -1, -1, -5, 4, 4, 4, 6],
  [0, 0, 0, 0, 1, 1, 1, 1],
];
const options = { samples: 100, seed: 0 };

describe('watched values', () => {
  it('are what integer operators read and make, without what they hand on', () => {
    expect(watchedValues(net())).toEqual(['x', 'conv']);
    expect([...channelAxes(net())]).toEqual([
      ['x', 1],
      ['conv', 1],
    ]);
  });
});

describe('calibration in onnxruntime', () => {
  it('finds minima, maxima and channel means', async () => {
    const { ranges } = await calibrate(net(), dataset(samples), ort, { ...options, observer: 'minmax' });
    expect(ranges.get('x')).toMatchObject({ min: -5, max: 6 });
    expect(ranges.get('conv')).toMatchObject({ min: 0, max: 6 });
    expect([...ranges.get('x')!.channelMeans!]).toEqual([(6 - 8) / 12, (18 + 4) / 12]);
  });

  it('tells how far two halves of the samples lie apart, and joins them exactly', async () => {
    const { ranges, stability } = await calibrate(net(), dataset(samples), ort, {
      ...options,
      observer: 'percentile',
    });
    // x: 0…3 of the first and third sample, −5…6 of the second; conv: 0…6 and 0…5.
    expect(stability).toEqual({
      value: 'x',
      halves: [
        { min: 0, max: 3 },
        { min: -5, max: 6 },
      ],
      difference: 5 / 11,
      typical: expect.closeTo((5 / 11 + 1 / 6) / 2, 12),
    });
    expect(ranges.get('x')?.seen).toEqual({ min: -5, max: 6 });
    const one = await calibrate(net(), dataset(samples), ort, { samples: 1, seed: 0, observer: 'minmax' });
    expect(one.stability).toBeUndefined();
  });

  it('hands over what the graph itself answers', async () => {
    const answers: [number, Results][] = [];
    const onOutputs = (index: number, outputs: Results) => void answers.push([index, outputs]);
    await calibrate(net(), dataset(samples), ort, { ...options, observer: 'minmax', onOutputs });
    expect(answers.map(([index]) => index)).toEqual([0, 1, 2]);
    expect(answers.map(([, { y }]) => [...toFloat32(y)])).toEqual([
      [6, 0],
      [0, 5],
      [0, 0],
    ]);
  });

  it.each(calibrations)('covers no more than what was seen with %s', async (observer) => {
    const { ranges } = await calibrate(net(), dataset(samples), ort, { ...options, observer });
    for (const [id, limit] of [['x', { min: -5, max: 6 }] as const, ['conv', { min: 0, max: 6 }] as const]) {
      const range = ranges.get(id)!;
      expect(range.min).toBeGreaterThanOrEqual(limit.min);
      expect(range.max).toBeLessThanOrEqual(limit.max);
      expect(range.max - range.min).toBeGreaterThan((limit.max - limit.min) / 3);
    }
  });

  it('tells progress after each sample and stops at the signal', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const onProgress = (done: number, total: number) => {
      seen.push(`${done}/${total}`);
      if (done === 2) controller.abort();
    };
    const run = calibrate(net(), dataset(samples), ort, {
      ...options,
      observer: 'minmax',
      signal: controller.signal,
      onProgress,
    });
    await expect(run).rejects.toMatchObject({ code: 'job.cancelled' });
    expect(seen).toEqual(['1/3', '2/3']);
  });

  it('names a value that is not finite, and closes the session', async () => {
    let closed = 0;
    const counting: Engine = {
      ...ort,
      open: async (model, opening) => {
        const session = await ort.open(model, opening);
        return {
          ...session,
          inputs: session.inputs,
          run: (feeds) => session.run(feeds),
          close: async () => {
            closed++;
            await session.close();
          },
        };
      },
    };
    const broken = dataset([samples[0], [Number.POSITIVE_INFINITY, 0, 0, 0, 0, 0, 0, 0]]);
    await expect(
      calibrate(net(), broken, counting, { ...options, observer: 'minmax' }),
    ).rejects.toMatchObject({
      code: 'runtime.failed',
      message: expect.stringContaining('x is not finite on sample 1'),
    });
    expect(closed).toBe(1);
  });

  it('refuses to calibrate on nothing', async () => {
    await expect(
      calibrate(net(), dataset([]), ort, { ...options, observer: 'minmax' }),
    ).rejects.toMatchObject({
      code: 'data.missing',
    });
  });
});

describe('observers', () => {
  const parts = fc.array(
    fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
      minLength: 1,
      maxLength: 30,
    }),
    { minLength: 1, maxLength: 5 },
  );

  it.each(calibrations)('%s gives the same range merged in any order', (name: Calibration) => {
    const kind = observerKind(name);
    fc.assert(
      fc.property(parts, (chunks) => {
        const observed = chunks.map((chunk) => {
          const observer = kind.create();
          observer.observe(Float32Array.from(chunk));
          return observer;
        });
        const merge = (list: typeof observed) => {
          const all = kind.create();
          for (const observer of list) all.merge(observer);
          return all.range();
        };
        const whole = kind.create();
        for (const chunk of chunks) whole.observe(Float32Array.from(chunk));
        const [a, b, c] = [merge(observed), merge(observed.toReversed()), whole.range()];
        for (const key of ['min', 'max'] as const) {
          expect(b[key]).toBeCloseTo(a[key], 6);
          expect(c[key]).toBeCloseTo(a[key], 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('refuses an unknown name', () => {
    expect(() => observerKind('sorcery' as Calibration)).toThrow('calibration is sorcery');
  });
});
