import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, PortInfo, Session } from '../ir/engine.ts';
import { floatTensor, typedData } from '../ir/tensor.ts';
import { randomFeeds } from './feeds.ts';
import { bootstrapRatio, interleavedRatio, randomNumbers } from './interleaved-ratio.ts';
import { measureLatency, summarize } from './latency.ts';
import { profileModel } from './profile-model.ts';

const feeds = { x: floatTensor([1], [1]) };

/** A session whose n-th run takes `msOf(n)` by its own account. */
function sessionOf(msOf: (run: number) => number): Session & { runs: number } {
  const session = {
    engine: 'ort' as const,
    description: 'fake',
    inputs: [{ name: 'x', dtype: 'float32' as const, shape: [1] }],
    outputs: [],
    loadMs: 7,
    runs: 0,
    run: async () => ({}),
    time: async (_: unknown, runs: number) => Float64Array.from({ length: runs }, () => msOf(session.runs++)),
    operatorTimes: async () => [
      { name: 'a', op: 'Relu', ms: 1, calls: 1 },
      { name: 'b', op: 'Conv', ms: 3, calls: 1 },
    ],
    close: async () => {},
  };
  return session;
}

describe('summarize', () => {
  it('gives the quantiles of numpy', () => {
    const times = Array.from({ length: 101 }, (_, i) => 100 - i);
    const latency = summarize(times, 5, 12);
    expect(latency).toMatchObject({
      runs: 101,
      warmup: 5,
      medianMs: 50,
      p10Ms: 10,
      p90Ms: 90,
      minMs: 0,
      loadMs: 12,
    });
    expect(latency.spread).toBeCloseTo(1.6);
    expect(latency.peakRssBytes).toBeGreaterThan(10e6);
  });

  it('is ordered, and keeps at most 1,000 times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 1500 }),
        (times) => {
          const { minMs, p10Ms, medianMs, p90Ms, timesMs } = summarize(times, 0, 0);
          expect(minMs).toBeLessThanOrEqual(p10Ms);
          expect(p10Ms).toBeLessThanOrEqual(medianMs);
          expect(medianMs).toBeLessThanOrEqual(p90Ms);
          expect(timesMs).toHaveLength(Math.min(1000, times.length));
          expect(timesMs.every((ms) => times.includes(ms))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('measureLatency', () => {
  it('leaves the slow start out', async () => {
    const session = sessionOf((run) => (run < 40 ? 10 - run * 0.2 : 2));
    const latency = await measureLatency(session, feeds, { runs: 100 });
    expect(latency.runs).toBe(100);
    expect(latency.medianMs).toBe(2);
    expect(latency.p90Ms).toBe(2);
    expect(latency.warmup).toBeGreaterThan(40);
    expect(session.runs).toBe(latency.warmup + 100);
  });

  it('takes at least 30 runs when quick, and ends in time', async () => {
    const start = performance.now();
    const latency = await measureLatency(
      sessionOf(() => 0.5),
      feeds,
      { quick: true },
    );
    expect(latency.runs).toBeGreaterThanOrEqual(30);
    expect(performance.now() - start).toBeLessThan(600);
  });

  it('stops between chunks when cancelled', async () => {
    const controller = new AbortController();
    const run = measureLatency(
      sessionOf(() => 1),
      feeds,
      {
        signal: controller.signal,
        onProgress: () => controller.abort(),
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'job.cancelled' });
  });

  it('reports progress that ends at 1', async () => {
    const seen: number[] = [];
    await measureLatency(
      sessionOf(() => 1),
      feeds,
      { runs: 100, onProgress: (share) => seen.push(share) },
    );
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });
});

describe('interleavedRatio', () => {
  it('finds the ratio through a drift that hits both', async () => {
    const drift = (run: number) => 1 + 0.3 * Math.sin(run / 500);
    const noise = randomNumbers(1);
    const a = sessionOf((run) => 1.0 * drift(run) * (1 + 0.05 * noise()));
    const b = sessionOf((run) => 1.25 * drift(run) * (1 + 0.05 * noise()));
    const result = await interleavedRatio(
      { session: a, feeds },
      { session: b, feeds },
      { rounds: 30, budgetMs: 3000 },
    );
    expect(result.low).toBeLessThan(0.8);
    expect(result.high).toBeGreaterThan(0.8);
    expect(result.high - result.low).toBeLessThan(0.2);
  });

  it('has an interval that holds the true ratio about 95 times of 100', () => {
    const random = randomNumbers(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let held = 0;
    const trials = 100;
    for (let trial = 0; trial < trials; trial++) {
      const pairs = Array.from({ length: 25 }, () => [2 + 0.1 * normal(), 4 + 0.2 * normal()]);
      const { low, high } = bootstrapRatio(
        pairs.map(([a]) => a),
        pairs.map(([, b]) => b),
        trial,
      );
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held).toBeGreaterThanOrEqual(88);
  });

  it('is repeatable and exact without noise', () => {
    const result = bootstrapRatio([2, 2, 2], [4, 4, 4], 3);
    expect(result).toMatchObject({ ratio: 0.5, low: 0.5, high: 0.5, rounds: 3 });
    expect(bootstrapRatio([1, 2, 3], [3, 2, 4], 5)).toEqual(bootstrapRatio([1, 2, 3], [3, 2, 4], 5));
    expect(() => bootstrapRatio([1], [])).toThrow('1 and 0 times are not pairs');
  });
});

describe('randomFeeds', () => {
  it('fits the ports and repeats itself', () => {
    const ports: PortInfo[] = [
      { name: 'image', dtype: 'float32', shape: ['batch', 2, 3] },
      { name: 'bytes', dtype: 'int8', shape: [4] },
      { name: 'ids', dtype: 'int64', shape: [1, 5] },
    ];
    const made = randomFeeds(ports, 3);
    expect(made.image.shape).toEqual([1, 2, 3]);
    expect([...(typedData(made.image) as Float32Array)].every((value) => Math.abs(value) <= 1)).toBe(true);
    expect(made.ids.bytes).toHaveLength(40);
    expect(randomFeeds(ports, 3)).toEqual(made);
  });

  it('lists every dimension that stays open', () => {
    const ports: PortInfo[] = [{ name: 'x', dtype: 'float32', shape: [1, 'height', 'width'] }];
    expect(() => randomFeeds(ports)).toThrow('x[1]: height, x[2]: width');
  });
});

describe('profileModel', () => {
  it('gives latency and operators by share', async () => {
    const engine: Engine = {
      id: 'ort',
      format: 'onnx',
      unavailable: async () => undefined,
      open: async () => sessionOf(() => 1),
    };
    const view = await profileModel(engine, new Uint8Array(), 'model.onnx', {
      threads: 2,
      runs: 20,
      perOp: true,
    });
    expect(view).toMatchObject({
      path: 'model.onnx',
      engine: 'ort',
      device: 'cpu',
      threads: 2,
      runs: 20,
      loadMs: 7,
    });
    expect(view.perOp?.map(({ op, share }) => [op, share])).toEqual([
      ['Conv', 0.75],
      ['Relu', 0.25],
    ]);
  });
});
