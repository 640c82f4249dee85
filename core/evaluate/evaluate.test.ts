import { describe, expect, it } from 'vitest';
import { WhittleError } from '../contract/errors.ts';
import type { PortInfo, Session } from '../ir/engine.ts';
import { contiguous, floatTensor, permute, type Tensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import { datasetOf } from '../testing/dataset-of.ts';
import { evaluateArtifact } from './evaluate.ts';
import { operatorErrors } from './operator-errors.ts';
import { adaptFeeds, adaptResults } from './port-adapters.ts';
import { runReference } from './reference.ts';

const port = (name: string, shape: number[], more: Partial<PortInfo> = {}): PortInfo => ({
  name,
  dtype: 'float32',
  shape,
  ...more,
});

/** A session that computes in JavaScript; the checks need no runtime. */
function sessionOf(
  inputs: PortInfo[],
  outputs: PortInfo[],
  compute: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>,
): Session & { runs: number } {
  const session = {
    engine: 'ort' as const,
    description: 'fake',
    inputs,
    outputs,
    loadMs: 1,
    runs: 0,
    async run(feeds: Readonly<Record<string, Tensor>>) {
      session.runs++;
      return compute(feeds);
    },
    time: async () => new Float64Array(),
    close: async () => {},
  };
  return session;
}

const identity = (outputs: PortInfo[] = [port('y', [1, 3])]) =>
  sessionOf([port('x', [1, 3])], outputs, ({ x }) => ({ y: x }));
const scores = [
  [0.7, 0.2, 0.1],
  [0.1, 0.8, 0.1],
  [0.3, 0.3, 0.4],
  [0.6, 0.3, 0.1],
];

describe('runReference', () => {
  it('finds a distribution to be class scores and scores it on the labels', async () => {
    const reference = await runReference(identity(), datasetOf([1, 3], scores, [0, 1, 1, 0]));
    expect(reference.classOutput).toEqual({ name: 'y', kind: 'vector', threshold: 0, classes: 3 });
    expect([...reference.classes!]).toEqual([0, 1, 2, 0]);
    expect(reference.accuracy).toBe(0.75);
  });

  it('does not take a vector without labels for class scores', async () => {
    const embeddings = [
      [3, -2, 1],
      [0, 5, -1],
    ];
    expect((await runReference(identity(), datasetOf([1, 3], embeddings))).classOutput).toBeUndefined();
    const labelled = await runReference(identity(), datasetOf([1, 3], embeddings, [0, 2]));
    expect(labelled.accuracy).toBe(0.5);
    const named = await runReference(identity(), datasetOf([1, 3], embeddings), { classOutput: 'y' });
    expect([...named.classes!]).toEqual([0, 1]);
  });

  it.each([
    { name: 'probability', values: [0.2, 0.6, 0.9], classes: [0, 1, 1] },
    { name: 'logit', values: [-3, 0.2, 4], classes: [0, 1, 1] },
  ])('takes a single $name for two classes', async ({ values, classes }) => {
    const session = sessionOf([port('x', [1, 1])], [port('y', [1, 1])], ({ x }) => ({ y: x }));
    const dataset = datasetOf(
      [1, 1],
      values.map((value) => [value]),
      [0, 1, 0],
    );
    const reference = await runReference(session, dataset);
    expect(reference.classOutput?.kind).toBe('binary');
    expect([...reference.classes!]).toEqual(classes);
    expect(reference.accuracy).toBeCloseTo(2 / 3);
  });

  it('keeps outputs while there is room and runs the source again beyond', async () => {
    const session = identity();
    const reference = await runReference(session, datasetOf([1, 3], scores), { keepBytes: 24 });
    expect(session.runs).toBe(4);
    for (let n = 0; n < 4; n++)
      expect([...(await reference.outputs(n)).y.values]).toEqual([...Float32Array.from(scores[n])]);
    expect(session.runs).toBe(6);
  });

  it('stops when cancelled', async () => {
    const controller = new AbortController();
    const run = runReference(identity(), datasetOf([1, 3], scores), {
      signal: controller.signal,
      onProgress: (done) => done === 2 && controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'job.cancelled' });
  });
});

describe('evaluateArtifact', () => {
  it('sums SQNR over all outputs and samples', async () => {
    const dataset = datasetOf([1, 3], scores, [0, 1, 2, 0]);
    const reference = await runReference(identity(), dataset);
    const artifact = sessionOf([port('x', [1, 3])], [port('y', [1, 3])], ({ x }) => ({
      y: floatTensor(
        [1, 3],
        [...toFloat32(x)].map((value, i) => (i === 1 ? value + 0.15 : value)),
      ),
    }));
    const { quality, changed, outputs } = await evaluateArtifact(artifact, dataset, reference);
    const signal = scores.flat().reduce((sum, value) => sum + value * value, 0);
    expect(quality.sqnrDb).toBeCloseTo(10 * Math.log10(signal / (4 * 0.15 ** 2)), 4);
    expect(quality.maxAbsError).toBeCloseTo(0.15, 6);
    expect(quality.top1Agreement).toBe(0.75);
    expect(quality.accuracy).toBe(0.75);
    expect(quality.referenceAccuracy).toBe(1);
    expect(quality.labels).toBe(4);
    expect(changed).toEqual([{ index: 2, before: 2, after: 1 }]);
    expect(outputs[0].worstSum).toBeCloseTo(1.15, 6);
  });

  it('quantizes inputs and dequantizes outputs with the ports parameters', async () => {
    const dataset = datasetOf([1, 3], scores);
    const reference = await runReference(identity(), dataset);
    const quant = { scales: [1 / 128], zeroPoints: [-5] };
    const seen: number[][] = [];
    const artifact = sessionOf(
      [port('x', [1, 3], { dtype: 'int8', quant })],
      [port('y', [1, 3], { dtype: 'int8', quant })],
      ({ x }) => {
        seen.push([...new Int8Array(x.bytes)]);
        return { y: x };
      },
    );
    const { quality } = await evaluateArtifact(artifact, dataset, reference);
    // round(0.7 × 128) − 5, …
    expect(seen[0]).toEqual([85, 21, 8]);
    expect(quality.maxAbsError).toBeLessThanOrEqual(1 / 256);
    expect(quality.sqnrDb).toBeGreaterThan(40);
  });

  it('takes another layout only by an adapter', async () => {
    const samples = [Array.from({ length: 8 }, (_, i) => i), Array.from({ length: 8 }, (_, i) => 8 - i)];
    const dataset = datasetOf([1, 2, 2, 2], samples);
    const shape = [1, 2, 2, 2];
    const weights = [1, 2, 3, 4, 5, 6, 7, 8];
    const weigh = (tensor: Tensor) =>
      floatTensor(
        shape,
        toFloat32(tensor).map((value, i) => value * weights[i]),
      );
    const source = sessionOf([port('x', shape)], [port('y', shape)], ({ x }) => ({ y: weigh(x) }));
    // The same function on NHWC tensors.
    const artifact = sessionOf([port('x', shape)], [port('y', shape)], ({ x }) => ({
      y: contiguous(permute(weigh(contiguous(permute(x, [0, 3, 1, 2]))), [0, 2, 3, 1])),
    }));
    const reference = await runReference(source, dataset);
    const nhwc = { permutation: [0, 2, 3, 1] };
    const adapted = await evaluateArtifact(artifact, dataset, reference, {
      portAdapters: { x: nhwc, y: nhwc },
    });
    expect(adapted.quality.sqnrDb).toBeNull();
    const unadapted = await evaluateArtifact(artifact, dataset, reference);
    expect(unadapted.quality.sqnrDb).toBeLessThan(20);
  });

  it('states both shapes when they do not fit', async () => {
    const dataset = datasetOf([1, 3], scores);
    const reference = await runReference(identity(), dataset);
    const artifact = sessionOf([port('x', [3, 1])], [port('y', [1, 3])], ({ x }) => ({ y: x }));
    await expect(evaluateArtifact(artifact, dataset, reference)).rejects.toThrow(
      'the input x has the shape [3, 1] but x of the source has [1, 3]',
    );
  });
});

describe('adaptFeeds', () => {
  it('converts integers and refuses those that do not fit', () => {
    const ids = (value: bigint) => ({ ids: tensorOf('int64', [2], BigInt64Array.of(5n, value)) });
    const feeds = adaptFeeds([port('ids', [2], { dtype: 'int32' })], ids(-7n));
    expect([...new Int32Array(feeds.ids.bytes.buffer)]).toEqual([5, -7]);
    expect(() => adaptFeeds([port('ids', [2], { dtype: 'int32' })], ids(2n ** 40n))).toThrow(WhittleError);
  });

  it('refuses float samples for an integer input without parameters', () => {
    expect(() => adaptFeeds([port('x', [1], { dtype: 'int32' })], { x: floatTensor([1], [0.5]) })).toThrow(
      'the input x takes int32, which float32 samples cannot become',
    );
  });

  it('names inputs and outputs by the adapters', () => {
    const adapters = { serving_x: { source: 'x' }, serving_y: { source: 'y', permutation: [1, 0] } };
    const feeds = adaptFeeds([port('serving_x', [1])], { x: floatTensor([1], [2]) }, adapters);
    expect(Object.keys(feeds)).toEqual(['serving_x']);
    const results = { serving_y: floatTensor([2, 3], [1, 2, 3, 4, 5, 6]) };
    const { y } = adaptResults([port('serving_y', [2, 3])], results, adapters, { y: [3, 2] });
    expect([...y.values]).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe('operatorErrors', () => {
  it('compares each intermediate tensor', async () => {
    const source = sessionOf([port('x', [1, 3])], [port('a', [1, 3]), port('b', [1, 3])], ({ x }) => ({
      a: x,
      b: floatTensor(
        [1, 3],
        toFloat32(x).map((value) => value * 2),
      ),
    }));
    const artifact = sessionOf([port('x', [1, 3])], [port('a_q', [1, 3]), port('b_q', [1, 3])], ({ x }) => ({
      a_q: x,
      b_q: floatTensor(
        [1, 3],
        toFloat32(x).map((value) => value * 2.2),
      ),
    }));
    const pairs = [
      { name: 'first', op: 'Relu', source: 'a', artifact: 'a_q' },
      { name: 'second', op: 'Mul', source: 'b', artifact: 'b_q' },
    ];
    const errors = await operatorErrors(source, artifact, pairs, datasetOf([1, 3], scores));
    expect(errors[0]).toMatchObject({ name: 'first', op: 'Relu', sqnrDb: null });
    expect(errors[1].sqnrDb).toBeCloseTo(20, 3);
    const unknown = [{ name: 'third', op: 'Add', source: 'a', artifact: 'c' }];
    await expect(operatorErrors(source, artifact, unknown, datasetOf([1, 3], scores))).rejects.toThrow(
      'the artifact gives no c, which operator third is compared by',
    );
  });

  it('takes the axis order that agrees where shapes allow two', async () => {
    const values = Float32Array.from({ length: 8 }, (_, i) => i + 1);
    const turned = Float32Array.of(1, 5, 2, 6, 3, 7, 4, 8);
    const source = sessionOf([port('x', [1, 3])], [port('a', [1, 2, 2, 2])], () => ({
      a: floatTensor([1, 2, 2, 2], values),
    }));
    const channelsLast = sessionOf([port('x', [1, 3])], [port('a', [1, 2, 2, 2])], () => ({
      a: floatTensor([1, 2, 2, 2], turned),
    }));
    const pair = { name: 'a', op: 'Conv', source: 'a', artifact: 'a', orders: [undefined, [0, 2, 3, 1]] };
    const dataset = datasetOf([1, 3], scores);
    for (const artifact of [source, channelsLast]) {
      const [{ sqnrDb }] = await operatorErrors(source, artifact, [pair], dataset);
      expect(sqnrDb).toBeNull();
    }
  });
});
