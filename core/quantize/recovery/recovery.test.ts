import { describe, expect, it } from 'vitest';
import { calibrate } from '../../calibrate/calibrate.ts';
import { scaleChannels } from '../../calibrate/scale-channels.ts';
import { writeOnnx } from '../../formats/onnx/writer.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import { floatTensor, toFloat32 } from '../../ir/tensor.ts';
import { mulberry32 } from '../../kernels/random.ts';
import { inferTypes } from '../../ops/registry.ts';
import { createEngines } from '../../runtime/engines.ts';
import { datasetOf } from '../../testing/dataset-of.ts';
import { decidePlan } from '../decide.ts';
import { factorMap } from '../plan.ts';
import { planQuantization, quantizeForOnnx } from '../quantize.ts';
import { wave } from '../test-graphs.ts';
import { biasCorrection } from './bias-correction.ts';
import { errorFeedback, errorFeedbackWithin } from './error-feedback.ts';
import { KnownMoments } from './input-moments.ts';

const { ort } = createEngines();

/** The same ten-odd samples every time, positive as after an activation. */
const dataset = datasetOf(
  [1, 4, 6, 6],
  Array.from({ length: 16 }, (_, index) => wave(144, index + 1).map((x) => x + 1)),
);

/**
 * Pairs of a pointwise and a depthwise layer as in MobileNet, batch normalizations folded: what is between the two has
 * one wide channel and others `spread` times narrower, which the depthwise layer brings to one width again.
 */
function depthwiseNet(spread: number, pairs = 3): Graph {
  const b = new GraphBuilder('net', inferTypes);
  const widths = [1, 1 / spread, 1 / spread, 1 / spread];
  const conv = (
    x: ReturnType<typeof b.input>,
    shape: number[],
    group: number,
    name: string,
    scale: (i: number) => number,
  ) => {
    const count = shape.reduce((a, c) => a * c);
    const filter = count / shape[0];
    const values = wave(count, shape[0] + group + name.length + name.charCodeAt(0)).map(
      (w, i) => (w * 0.4 + (name === 'y' ? 0 : 0.3)) * scale(Math.floor(i / filter)),
    );
    const bias = wave(shape[0], 3).map((v, m) => v * 0.1 * scale(m));
    const pad = shape[2] === 3 ? 1 : 0;
    return b.one(
      'Conv',
      [
        x,
        b.constant(`${name}/w`, floatTensor(shape, values)),
        b.constant(`${name}/b`, floatTensor([shape[0]], bias)),
      ],
      {
        layout: 'NCHW',
        strides: [1, 1],
        dilations: [1, 1],
        pads: [pad, pad, pad, pad],
        group,
        activation: name === 'y' ? 'none' : 'relu',
      },
      { name },
    );
  };
  let x = b.input('x', { dtype: 'float32', shape: [1, 4, 6, 6] });
  for (let pair = 0; pair < pairs; pair++) {
    const narrow = conv(x, [4, 4, 1, 1], 1, `narrow${pair}`, (m) => widths[(m + pair) % 4]);
    x = conv(narrow, [4, 1, 3, 3], 4, `deep${pair}`, (m) => 1 / widths[(m + pair) % 4]);
  }
  const y = conv(x, [3, 4, 1, 1], 1, 'y', () => 1);
  return b.finish([y.id], { format: 'onnx' });
}

async function outputsOf(graph: Graph, samples = dataset): Promise<number[]> {
  const session = await ort.open(writeOnnx(graph));
  try {
    const all: number[] = [];
    for (let i = 0; i < samples.count; i++)
      all.push(...toFloat32((await session.run(await samples.sample(i))).y));
    return all;
  } finally {
    await session.close();
  }
}

function sqnrDb(reference: readonly number[], outputs: readonly number[]): number {
  const signal = reference.reduce((sum, x) => sum + x * x, 0);
  const noise = reference.reduce((sum, x, i) => sum + (x - outputs[i]) ** 2, 0);
  return 10 * Math.log10(signal / noise);
}

/** With equalization and bias correction, or without both. */
async function int8Quality(graph: Graph, recovering: boolean): Promise<number> {
  const { ranges } = await calibrate(graph, dataset, ort, {
    samples: 16,
    observer: 'minmax',
    seed: 0,
    equalize: recovering,
  });
  const options = { precision: 'int8', io: 'float32', pureInteger: false, recovery: recovering } as const;
  const plan = planQuantization({ tflite: graph, onnx: graph }, ranges, options);
  return sqnrDb(
    await outputsOf(graph),
    await outputsOf(quantizeForOnnx(graph, plan, { io: 'float32' }).graph),
  );
}

describe('equalization', () => {
  it('saves a network whose depthwise channels differ a thousandfold', async () => {
    const [without, equalized] = [
      await int8Quality(depthwiseNet(1000), false),
      await int8Quality(depthwiseNet(1000), true),
    ];
    expect(without).toBeLessThan(15);
    expect(equalized).toBeGreaterThan(30);
  });

  it('changes little where channels are even', async () => {
    const [without, with_] = [
      await int8Quality(depthwiseNet(1), false),
      await int8Quality(depthwiseNet(1), true),
    ];
    expect(Math.abs(with_ - without)).toBeLessThan(3);
  });
});

describe('bias correction', () => {
  it('takes back the mean error of coarse weights', async () => {
    const graph = depthwiseNet(1);
    const { ranges } = await calibrate(graph, dataset, ort, {
      samples: 16,
      observer: 'minmax',
      seed: 0,
      equalize: false,
    });
    // Four bits for all weights make the error plain: only weights of this size are planned, so plan them by hand.
    const int8 = decidePlan(graph, ranges, { precision: 'int8', io: 'float32', pureInteger: true });
    const coarse = Object.fromEntries(
      Object.entries(int8.values)
        .filter(([id]) => id.endsWith('/w'))
        .map(([id, value]) => [id, { ...value, scales: value.scales.map((scale) => scale * 16) }]),
    );
    const nodes = Object.fromEntries(
      graph.nodes.map(({ id }) => [id, { mode: 'weights-only', reason: '' }] as const),
    );
    const plan = { ...int8, precision: 'weights-int8', values: coarse, nodes } as const;
    const { plan: corrected, changes } = biasCorrection.run(plan, {
      graph: scaleChannels(graph, factorMap(plan)),
      planned: scaleChannels(graph, factorMap(plan)),
      ranges,
    });
    expect(changes).toBe(7);
    const reference = await outputsOf(graph);
    const meanError = async (of: typeof plan | typeof corrected) => {
      const outputs = await outputsOf(quantizeForOnnx(graph, of, { io: 'float32' }).graph);
      return Math.abs(outputs.reduce((sum, value, i) => sum + value - reference[i], 0) / outputs.length);
    };
    expect(await meanError(corrected)).toBeLessThan((await meanError(plan)) / 3);
  });

  it('leaves steps that share their weights one bias, the mean of what each would get', () => {
    const builder = new GraphBuilder('steps', inferTypes);
    const weights = builder.constant('w', floatTensor([40, 40], wave(1600)));
    for (const step of ['a', 'b']) {
      const x = builder.input(step, { dtype: 'float32', shape: [1, 40] });
      builder.one('FullyConnected', [x, weights, null], { activation: 'none' }, { name: `${step}/y` });
    }
    const graph = builder.finish(['a/y', 'b/y'], { format: 'keras' });
    const means = (mean: number) => ({ min: -1, max: 1, channelMeans: new Float64Array(40).fill(mean) });
    const biasesFor = (a: number, b: number) => {
      const ranges = new Map([
        ['a', means(a)],
        ['b', means(b)],
      ]);
      const plan = decidePlan(graph, ranges, {
        precision: 'weights-int8',
        io: 'float32',
        pureInteger: false,
      });
      return biasCorrection.run(plan, { graph, planned: graph, ranges }).plan.biases;
    };
    const { 'a/y': first, 'b/y': second } = biasesFor(1, 3);
    expect(first).toEqual(second);
    const both = biasesFor(2, 2)['a/y'];
    first.forEach((bias, m) => {
      expect(bias).toBeCloseTo(both[m], 12);
    });
    expect(Math.max(...first.map(Math.abs))).toBeGreaterThan(1e-3);
  });
});

describe('error feedback', () => {
  /** A dense layer whose inputs hang on a few causes. */
  const next = mulberry32(3);
  const mixing = Array.from({ length: 32 * 6 }, () => next() * 2 - 1);
  const correlatedSample = (seed: number) => {
    const draw = mulberry32(seed);
    const causes = Array.from({ length: 6 }, () => draw() * 2);
    return Array.from({ length: 32 }, (_, i) =>
      causes.reduce((sum, cause, k) => sum + cause * mixing[i * 6 + k], (draw() - 0.5) * 0.1),
    );
  };
  const correlated = datasetOf(
    [1, 32],
    Array.from({ length: 64 }, (_, index) => correlatedSample(index + 100)),
  );
  const b = new GraphBuilder('dense', inferTypes);
  const x = b.input('x', { dtype: 'float32', shape: [1, 32] });
  const weights = b.constant('w', floatTensor([40, 32], wave(40 * 32, 2)));
  const y = b.one('FullyConnected', [x, weights, null], { activation: 'none' }, { name: 'y' });
  const graph = b.finish([y.id], { format: 'onnx' });

  const indexes = Array.from({ length: 32 }, (_, i) => i);

  async function fed(precision: 'weights-int4' | 'int8', dataset = correlated, found = new KnownMoments()) {
    const { ranges } = await calibrate(graph, correlated, ort, { samples: 32, observer: 'minmax', seed: 0 });
    const forms = { tflite: graph, onnx: graph };
    const plan = planQuantization(forms, ranges, { precision, io: 'float32', pureInteger: false });
    const fitting = { dataset, indexes, engine: ort, found };
    const result = await errorFeedback.run(plan, { graph, planned: graph, ranges }, fitting);
    return { before: plan, after: result.plan };
  }

  it('takes the cheapest weights as far as it may compute', async () => {
    const wide = new GraphBuilder('two', inferTypes);
    const input = wide.input('x', { dtype: 'float32', shape: [1, 32] });
    const layer = (from: Value, rows: number, columns: number, name: string) => {
      const matrix = wide.constant(`${name}/w`, floatTensor([rows, columns], wave(rows * columns, 2)));
      return wide.one('FullyConnected', [from, matrix, null], { activation: 'none' }, { name });
    };
    const both = wide.finish([layer(layer(input, 64, 32, 'small'), 40, 64, 'large').id], { format: 'onnx' });
    const options = { precision: 'weights-int4', io: 'float32', pureInteger: false } as const;
    const plan = planQuantization({ tflite: both, onnx: both }, new Map(), options);
    const context = { graph: both, planned: both, ranges: new Map() };
    const changesWithin = async (most: number) => {
      const samples = { dataset: correlated, indexes, engine: ort, found: new KnownMoments() };
      const { plan: after } = await errorFeedbackWithin(most).run(plan, context, samples);
      return Object.keys(after.biases).sort();
    };
    expect(await changesWithin(1000)).toEqual([]);
    expect(await changesWithin(400_000)).toEqual(['small']);
    expect(await changesWithin(Number.POSITIVE_INFINITY)).toEqual(['large', 'small']);
  });

  it('runs samples once for all plans of a graph', async () => {
    const found = new KnownMoments();
    let runs = 0;
    const counted = {
      ...correlated,
      sample: (index: number) => {
        runs++;
        return correlated.sample(index);
      },
    };
    await fed('int8', counted, found);
    const { after } = await fed('weights-int4', counted, found);
    expect(runs).toBe(indexes.length);
    expect(after).toEqual((await fed('weights-int4')).after);
  });

  it('leaves far less error at the output of a dense layer', async () => {
    const { before, after } = await fed('weights-int4');
    const unseen = { ...correlated, count: 32, sample: (i: number) => correlated.sample(i + 32) };
    const reference = await outputsOf(graph, unseen);
    const [worse, better] = await Promise.all(
      [before, after].map(async (plan) => {
        const { graph: quantized } = quantizeForOnnx(graph, plan, { io: 'float32' });
        return sqnrDb(reference, await outputsOf(quantized, unseen));
      }),
    );
    expect(better - worse).toBeGreaterThan(5);
    expect(after.values.w.scales).not.toEqual(before.values.w.scales);
  });

  it('keeps the scales of integer operators, which fit their kernels', async () => {
    const { before, after } = await fed('int8');
    expect(after.values.w.scales).toEqual(before.values.w.scales);
    expect(after.values.w.integers).toBeDefined();
  });
});
