import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, toFloat32 } from '../ir/tensor.ts';
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

async function run(graph: Graph): Promise<Float32Array> {
  const session = await ort.open(writeOnnx(graph));
  try {
    return toFloat32((await session.run({ x: floatTensor([1, 2, 4, 4], wave(32, 5)) })).y);
  } finally {
    await session.close();
  }
}

describe('channel groups', () => {
  it('span what passes a factor on, between weighted operators', () => {
    const groups = channelGroups(net()).map(({ values, makers, readers }) => ({
      values: [...values].sort(),
      makers: makers.map(({ node }) => node.id).sort(),
      readers: readers.map(({ node }) => node.id).sort(),
    }));
    expect(groups).toEqual([
      { values: ['first'], makers: ['first'], readers: ['deep'] },
      { values: ['deep', 'pooled', 'side', 'sum'], makers: ['deep', 'side'], readers: ['y'] },
    ]);
  });

  it('leave out what a bounded activation makes', () => {
    expect(channelGroups(net('relu6')).map(({ values }) => values)).toEqual([['first']]);
  });
});

describe('scaling channels', () => {
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
  };
  const uneven = { ...even, max: Float64Array.of(1000, 1, 0.5, 0), mean: Float64Array.of(300, 0.3, 0.1, 0) };
  const all = (first: typeof even) =>
    new Map([['first', first], ...['deep', 'side', 'sum', 'pooled'].map((id) => [id, even] as const)]);

  it('lets narrow channels make use of the range, with room for other samples', () => {
    const factors = equalize(net(), all(uneven), 100);
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

  it('leaves more room where there were few samples', () => {
    const few = equalize(net(), all(uneven), 10).get('first')!;
    for (const c of [1, 2]) expect(uneven.max[c] / few[c]).toBeLessThanOrEqual(1000 / 2);
  });

  it('leaves alone what is even already', () => {
    expect(equalize(net(), all(even), 100).size).toBe(0);
  });
});
