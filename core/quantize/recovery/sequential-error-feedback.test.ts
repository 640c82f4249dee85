import { describe, expect, it } from 'vitest';
import { GraphExtension } from '../../calibrate/graph-extension.ts';
import type { Dataset } from '../../data/dataset.ts';
import { writeOnnx } from '../../formats/onnx/writer.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import { floatTensor, int64Tensor, type Tensor, toFloat32 } from '../../ir/tensor.ts';
import { mulberry32 } from '../../kernels/random.ts';
import { inferTypes } from '../../ops/registry.ts';
import { createEngines } from '../../runtime/engines.ts';
import { datasetOf } from '../../testing/dataset-of.ts';
import { planQuantization, quantizeForOnnx } from '../quantize.ts';
import { errorFeedback } from './error-feedback.ts';
import { KnownMoments } from './input-moments.ts';
import { PiecewiseRun } from './piecewise-run.ts';
import type { RecoverySamples, SampledRecoveryStep } from './recovery.ts';
import { sequentialErrorFeedback } from './sequential-error-feedback.ts';

const { ort } = createEngines();

const uniform = (count: number, seed: number) => {
  const next = mulberry32(seed);
  return Array.from({ length: count }, () => next() * 2 - 1);
};

const channels = 32;

/** Two convolutions (the second depthwise, of too few weights to store), a third of their sum, a dense layer. */
function network(): Graph {
  const b = new GraphBuilder('net', inferTypes);
  const conv = (x: Value, shape: number[], group: number, name: string) => {
    const count = shape.reduce((all, dim) => all * dim);
    const weights = b.constant(`${name}/w`, floatTensor(shape, uniform(count, count + name.length)));
    const pad = (shape[2] - 1) / 2;
    const window = { strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] };
    return b.one(
      'Conv',
      [x, weights, null],
      { layout: 'NCHW', ...window, group, activation: 'relu' },
      { name },
    );
  };
  const x = b.input('x', { dtype: 'float32', shape: [1, channels, 4, 4] });
  const first = conv(x, [channels, channels, 1, 1], 1, 'first');
  const deep = conv(first, [channels, 1, 3, 3], channels, 'deep');
  const sum = b.one('Add', [first, deep], { activation: 'none' }, { name: 'sum' });
  const last = conv(sum, [channels, channels, 3, 3], 1, 'last');
  const shape = b.constant('flat/shape', int64Tensor([2], [1, channels * 16]));
  const flat = b.one('Reshape', [last, shape], {}, { name: 'flat' });
  const matrix = b.constant('y/w', floatTensor([4, channels * 16], uniform(channels * 64, 3)));
  const y = b.one('FullyConnected', [flat, matrix, null], { activation: 'none' }, { name: 'y' });
  return b.finish([y.id], { format: 'onnx' });
}

const graph = network();

const dataset = datasetOf(
  [1, channels, 4, 4],
  Array.from({ length: 32 }, (_, i) => uniform(channels * 16, i + 1)),
);
const samples = (): RecoverySamples => ({
  dataset,
  indexes: Array.from({ length: 32 }, (_, i) => i),
  engine: ort,
  found: new KnownMoments(),
});

async function runAll(of: Graph, data: Dataset, indexes: readonly number[]): Promise<number[]> {
  const session = await ort.open(writeOnnx(of));
  try {
    const all: number[] = [];
    for (const i of indexes) all.push(...toFloat32((await session.run(await data.sample(i))).y));
    return all;
  } finally {
    await session.close();
  }
}

describe('a run in pieces', () => {
  it('gives what a whole run gives, reading each sample once', async () => {
    const read: number[] = [];
    const counted = {
      ...dataset,
      sample: (i: number) => {
        read.push(i);
        return dataset.sample(i);
      },
    };
    const walk = new PiecewiseRun({ ...samples(), dataset: counted }, 2 ** 22);
    for (const value of ['first', 'sum', 'flat']) {
      await walk.advance(graph, [value], { graph, values: [], see: () => {} });
    }
    const found: number[] = [];
    const see = (results: Readonly<Record<string, Tensor>>) => found.push(...toFloat32(results.y));
    await walk.advance(graph, ['y'], { graph, values: ['y'], see });
    expect(read).toEqual(samples().indexes);
    expect(found).toEqual(await runAll(graph, dataset, samples().indexes));
  });

  it('looks at what is computed beside it', async () => {
    const extension = new GraphExtension(graph);
    const twice = extension.addReals('Add', 'twice', ['first', 'first'], { activation: 'none' }, [
      1,
      channels,
      4,
      4,
    ]);
    const sums: number[] = [];
    await new PiecewiseRun(samples(), 2 ** 22).advance(graph, ['first'], {
      graph: extension.finish([twice]),
      values: [twice],
      see: (results) => sums.push(toFloat32(results[twice])[0]),
    });
    expect(sums).toHaveLength(32);
  });

  it('lets samples go that do not fit', async () => {
    const walk = new PiecewiseRun(samples(), 10 * channels * 16 * 4);
    await walk.advance(graph, ['first'], { graph, values: [], see: () => {} });
    expect(walk.count).toBe(10);
  });
});

describe('sequential error feedback', () => {
  /** Inputs that hang on a few causes meet more weights than error feedback takes; the layer behind it has few. */
  const [causes, inputs] = [6, 2400];
  const mixing = uniform(causes * inputs, 9);
  const caused = (seed: number) => {
    const cause = uniform(causes, seed);
    return Array.from({ length: inputs }, (_, i) =>
      cause.reduce((sum, c, k) => sum + c * mixing[k * inputs + i], 0),
    );
  };
  const wide = datasetOf(
    [1, inputs],
    Array.from({ length: 80 }, (_, i) => caused(i + 1)),
  );
  const b = new GraphBuilder('dense', inferTypes);
  const dense = (x: Value, rows: number, columns: number, name: string) => {
    const matrix = b.constant(`${name}/w`, floatTensor([rows, columns], uniform(rows * columns, rows)));
    return b.one('FullyConnected', [x, matrix, null], { activation: 'none' }, { name });
  };
  const x = b.input('x', { dtype: 'float32', shape: [1, inputs] });
  const layers = b.finish([dense(dense(x, 32, inputs, 'coarse'), 64, 32, 'y').id], { format: 'onnx' });

  it('makes later layers take up what earlier ones have left', async () => {
    const options = { precision: 'weights-int4', io: 'float32', pureInteger: false } as const;
    const plan = planQuantization({ tflite: layers, onnx: layers }, new Map(), options);
    const context = { graph: layers, planned: layers, ranges: new Map() };
    const unseen = Array.from({ length: 16 }, (_, i) => i + 64);
    const reference = await runAll(layers, wide, unseen);
    const quality = async (step: SampledRecoveryStep) => {
      const fitting = { ...samples(), dataset: wide, indexes: Array.from({ length: 64 }, (_, i) => i) };
      const { plan: after, changes } = await step.run(plan, context, fitting);
      expect(changes).toBe(1);
      const outputs = await runAll(quantizeForOnnx(layers, after, { io: 'float32' }).graph, wide, unseen);
      const noise = reference.reduce((sum, x, i) => sum + (x - outputs[i]) ** 2, 0);
      return 10 * Math.log10(reference.reduce((sum, x) => sum + x * x, 0) / noise);
    };
    expect((await quality(sequentialErrorFeedback)) - (await quality(errorFeedback))).toBeGreaterThan(3);
  });
});
