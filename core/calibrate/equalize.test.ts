import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { elementCount, floatTensor, int64Tensor, toFloat32 } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { channelGroups } from './channel-groups.ts';
import { equalize } from './equalize.ts';
import { scaleChannels } from './scale-channels.ts';

const { ort } = createEngines();
const spatial = { layout: 'NCHW', strides: [1, 1], dilations: [1, 1] } as const;

function wave(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 * seed) * 0.9);
}

/**
 * Pointwise, depthwise with a residual addition, pooling, pointwise: what lies between the first and the last is one
 * group of 4 channels after the depthwise layer and one before it.
 */
function net(last: 'none' | 'relu6' = 'none'): Graph {
  const b = new GraphBuilder('net', inferTypes);
  const conv = (
    x: ReturnType<typeof b.input>,
    shape: number[],
    group: number,
    activation: string,
    name: string,
  ) => {
    const [outputs] = shape;
    const w = b.constant(
      `${name}/w`,
      floatTensor(
        shape,
        wave(
          shape.reduce((a, c) => a * c),
          outputs + group,
        ),
      ),
    );
    const bias = b.constant(`${name}/b`, floatTensor([outputs], wave(outputs, 3)));
    const pads = shape[2] === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0];
    return b.one('Conv', [x, w, bias], { ...spatial, pads, group, activation }, { name });
  };
  const x = b.input('x', { dtype: 'float32', shape: [1, 2, 4, 4] });
  const first = conv(x, [4, 2, 1, 1], 1, 'relu', 'first');
  const deep = conv(first, [4, 1, 3, 3], 4, last, 'deep');
  const side = conv(x, [4, 2, 1, 1], 1, 'none', 'side');
  const sum = b.one('Add', [deep, side], { activation: 'relu' }, { name: 'sum' });
  const pool = { ...spatial, strides: [2, 2], pads: [0, 0, 0, 0], kernelShape: [2, 2], ceilMode: false };
  const pooled = b.one('MaxPool', [sum], { ...pool, activation: 'none' }, { name: 'pooled' });
  const y = conv(pooled, [3, 4, 1, 1], 1, 'none', 'y');
  return b.finish([y.id], { format: 'onnx' });
}

/** Two branches of 4 and 2 channels, the second resampled and bounded, are concatenated and read by one layer. */
function branches(): Graph {
  const b = new GraphBuilder('branches', inferTypes);
  const conv = (x: ReturnType<typeof b.input>, shape: number[], activation: string, name: string) => {
    const w = b.constant(`${name}/w`, floatTensor(shape, wave(shape[0] * shape[1], shape[0] + 1)));
    const bias = b.constant(`${name}/b`, floatTensor([shape[0]], wave(shape[0], 3)));
    const attrs = { ...spatial, pads: [0, 0, 0, 0], group: 1, activation };
    return b.one('Conv', [x, w, bias], attrs, { name });
  };
  const x = b.input('x', { dtype: 'float32', shape: [1, 2, 4, 4] });
  const wide = conv(x, [4, 2, 1, 1], 'relu', 'wide');
  const bounded = conv(x, [2, 2, 1, 1], 'relu6', 'bounded');
  const sizes = b.constant('sizes', int64Tensor([4], [1, 2, 4, 4]));
  const resizing = { mode: 'nearest', coordinateTransformation: 'asymmetric', nearestMode: 'floor' };
  const resized = b.one('Resize', [bounded, sizes], { ...resizing, cubicCoeffA: -0.75 }, { name: 'resized' });
  const joined = b.one('Concat', [wide, resized], { axis: 1 }, { name: 'joined' });
  const y = conv(joined, [3, 6, 1, 1], 'none', 'y');
  return b.finish([y.id], { format: 'onnx' });
}

/** A normalization of 4 channels that two dense layers read. */
function normalized(): Graph {
  const b = new GraphBuilder('normalized', inferTypes);
  const x = b.input('x', { dtype: 'float32', shape: [1, 2, 4] });
  const gamma = b.constant('gamma', floatTensor([4], [1, 2, 3, 40]));
  const beta = b.constant('beta', floatTensor([4], wave(4, 2)));
  const norm = b.one('LayerNormalization', [x, gamma, beta], { axis: 2, epsilon: 1e-5 }, { name: 'norm' });
  const dense = (seed: number) =>
    b.one(
      'FullyConnected',
      [norm, b.constant(`w${seed}`, floatTensor([3, 4], wave(12, seed))), null],
      { activation: 'none' },
      { name: `dense${seed}` },
    );
  const y = b.one('Add', [dense(1), dense(2)], { activation: 'none' }, { name: 'y' });
  return b.finish([y.id], { format: 'onnx' });
}

async function run(graph: Graph): Promise<Float32Array> {
  const session = await ort.open(writeOnnx(graph));
  try {
    const { shape } = session.inputs[0];
    const x = floatTensor(shape.map(Number), wave(elementCount(shape.map(Number)), 5));
    return toFloat32((await session.run({ x })).y);
  } finally {
    await session.close();
  }
}

describe('channel groups', () => {
  it('span what passes a factor on, between weighted operators', () => {
    const groups = channelGroups(net()).map(({ values, makers, readers }) => ({
      values: [...values.keys()].sort(),
      makers: makers.map(({ node }) => node.id).sort(),
      readers: readers.map(({ node }) => node.id).sort(),
    }));
    expect(groups).toEqual([
      { values: ['first'], makers: ['first'], readers: ['deep'] },
      { values: ['deep', 'pooled', 'side', 'sum'], makers: ['deep', 'side'], readers: ['y'] },
    ]);
  });

  it('know what ReLU6 bounds', () => {
    const [, group] = channelGroups(net('relu6'));
    expect([...group.bounded]).toEqual(['deep']);
  });
});

describe('channel groups of more than one kind', () => {
  it('join the parts of a concatenation', () => {
    const [group] = channelGroups(branches());
    expect(Object.fromEntries(group.values)).toEqual({
      wide: { axis: 1, first: 0, count: 4 },
      bounded: { axis: 1, first: 4, count: 2 },
      resized: { axis: 1, first: 4, count: 2 },
      joined: { axis: 1, first: 0, count: 6 },
    });
    expect(group.channels).toBe(6);
  });

  it('take the last axis behind a normalization', () => {
    const [group] = channelGroups(normalized());
    expect(Object.fromEntries(group.values)).toEqual({ norm: { axis: 2, first: 0, count: 4 } });
    expect(group.readers.map(({ node }) => node.id)).toEqual(['dense1', 'dense2']);
  });
});

describe('scaling channels', () => {
  it.each([
    ['through a concatenation', branches],
    ['behind a normalization', normalized],
  ])('leaves the function as it is %s', async (_, make) => {
    const factors = new Map<string, number[]>();
    for (const { values, channels } of channelGroups(make())) {
      const all = Array.from({ length: channels }, (_, c) => 2 ** (((c * 7) % 5) - 1));
      for (const [id, { first, count }] of values) factors.set(id, all.slice(first, first + count));
    }
    const scaled = scaleChannels(make(), factors);
    expect(scaled).not.toEqual(make());
    expect([...(await run(scaled))]).toEqual([...(await run(make()))]);
  });

  it('leaves the function as it is', async () => {
    const reference = await run(net());
    const factor = fc.array(
      fc.integer({ min: -6, max: 6 }).map((e) => 2 ** e),
      { minLength: 4, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(factor, factor, async (one, two) => {
        const factors = new Map([
          ['first', one],
          ...['deep', 'side', 'sum', 'pooled'].map((id) => [id, two] as const),
        ] as [string, number[]][]);
        const scaled = await run(scaleChannels(net(), factors));
        // Powers of two do not even change the rounding of a float32, only the order of small sums may.
        scaled.forEach((value, i) => {
          expect(value).toBeCloseTo(reference[i], 5);
        });
      }),
      { numRuns: 10 },
    );
  });
});

describe('equalization', () => {
  const even = {
    min: new Float64Array(4),
    max: new Float64Array(4).fill(2),
    mean: new Float64Array(4).fill(1),
    growth: new Float64Array(4).fill(1.5),
  };
  const uneven = { ...even, max: Float64Array.of(1000, 1, 0.5, 0), mean: Float64Array.of(300, 0.3, 0.1, 0) };
  const all = (first: typeof even) =>
    new Map([['first', first], ...['deep', 'side', 'sum', 'pooled'].map((id) => [id, even] as const)]);

  it('lets narrow channels make use of the range, with room for other samples', () => {
    const factors = equalize(net(), all(uneven));
    expect([...factors.keys()]).toEqual(['first']);
    const found = factors.get('first')!;
    expect(found[0]).toBe(1);
    for (const c of [1, 2]) {
      expect(uneven.max[c] / found[c]).toBeLessThanOrEqual(1000 / 1.5);
      expect(uneven.max[c] / found[c]).toBeGreaterThan(100);
    }
    // A channel that was always zero has no range to widen to: any other value would be cut off.
    expect(found[3]).toBe(1);
  });

  it('leaves more room where some samples make channels much wider than others', () => {
    const growing = (growth: Float64Array<ArrayBuffer>) =>
      equalize(net(), all({ ...uneven, growth })).get('first');
    for (const c of [1, 2]) {
      const factor = growing(Float64Array.of(1, 4, 4, 1))![c];
      expect(uneven.max[c] / factor).toBeLessThanOrEqual(1000 / 4);
    }
    expect(growing(Float64Array.of(1, 1, Number.POSITIVE_INFINITY, 1))).toBeUndefined();
  });

  it('moves outliers behind a normalization into the weights, as SmoothQuant does', () => {
    const outlier = { min: Float64Array.of(-1, -2, -3, -40), max: Float64Array.of(1, 2, 3, 40) };
    const statistics = { ...even, ...outlier, mean: new Float64Array(4) };
    const factors = equalize(normalized(), new Map([['norm', statistics]])).get('norm')!;
    expect(factors[3]).toBe(1);
    for (const c of [0, 1, 2]) expect(factors[c]).toBeLessThan(0.5);
  });

  it('moves the bound of a ReLU6 to where no sample comes near it', async () => {
    const statistics = (max: readonly number[]) => ({
      min: new Float64Array(max.length),
      max: Float64Array.from(max),
      mean: Float64Array.from(max, (x) => x / 3),
      growth: new Float64Array(max.length).fill(1.2),
    });
    const bounded = [6, 0.01];
    const factors = equalize(
      branches(),
      new Map([
        ['wide', statistics([60, 60, 60, 60])],
        ['bounded', statistics(bounded)],
        ['resized', statistics(bounded)],
        ['joined', statistics([60, 60, 60, 60, ...bounded])],
      ]),
    );
    expect(factors.get('joined')?.slice(4)).toEqual(factors.get('bounded'));
    const found = factors.get('bounded')!;
    expect(found[0]).toBe(1);
    expect(found[1]).toBeLessThan(1);
    expect(0.01 / found[1]).toBeLessThanOrEqual(6 / 1.2);
  });

  it('leaves alone what is even already', () => {
    expect(equalize(net(), all(even)).size).toBe(0);
  });
});
