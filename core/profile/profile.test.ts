import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, PortInfo, Session } from '../ir/engine.ts';
import { floatTensor, typedData } from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import { judge } from './compare-files.ts';
import { randomFeeds } from './feeds.ts';
import { interleavedRatio, ratioInterval } from './interleaved-ratio.ts';
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
  const normalOf = (random: () => number) => () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

  /** Opens sessions whose runs take `ms`, each session off by its own percent or so, through a drift of the machine. */
  function opener(ms: number, seed: number) {
    const normal = normalOf(mulberry32(seed));
    return async () => {
      const own = ms * (1 + 0.01 * normal());
      return {
        feeds,
        session: sessionOf((run) => own * (1 + 0.3 * Math.sin(run / 500)) * (1 + 0.05 * normal())),
      };
    };
  }

  it('finds the ratio through drift and the luck of each session', async () => {
    const { ratio, low, high, rounds } = await interleavedRatio(opener(1, 1), opener(1.25, 2), {
      budgetMs: 800,
    });
    expect(ratio).toBeCloseTo(0.8, 1);
    expect(low).toBeLessThan(0.8);
    expect(high).toBeGreaterThan(0.8);
    expect(high - low).toBeLessThan(0.06);
    expect(rounds).toBeGreaterThanOrEqual(4);
  });

  it('seldom calls a model faster than itself', async () => {
    let called = 0;
    for (let i = 0; i < 20; i++) {
      const ratio = await interleavedRatio(opener(1, 2 * i), opener(1, 2 * i + 1), { budgetMs: 80 });
      if (judge(ratio, 'a', 'b').verdict !== 'unclear') called++;
    }
    expect(called).toBeLessThanOrEqual(1);
  });

  it('has an interval that holds the true ratio 99 times of 100', () => {
    const normal = normalOf(mulberry32(7));
    let held = 0;
    const trials = 500;
    for (let trial = 0; trial < trials; trial++) {
      const { low, high } = ratioInterval(Array.from({ length: 8 }, () => 0.5 * Math.exp(0.02 * normal())));
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held / trials).toBeGreaterThan(0.97);
    expect(held).toBeLessThan(trials);
  });

  it('is exact without noise', () => {
    expect(ratioInterval([0.5, 0.5, 0.5, 0.5])).toEqual({ ratio: 0.5, low: 0.5, high: 0.5 });
    expect(() => ratioInterval([1, 1, 1])).toThrow('3 ratios are too few');
  });

  it('says which is faster', () => {
    expect(judge({ ratio: 0.5, low: 0.48, high: 0.52 }, 'x/a.onnx', 'b.onnx')).toMatchObject({
      verdict: 'a-faster',
      words: expect.stringContaining('a.onnx is 2.00 × as fast as b.onnx'),
    });
    expect(judge({ ratio: 1.1, low: 1.05, high: 1.2 }, 'a', 'b').verdict).toBe('b-faster');
    expect(judge({ ratio: 1.1, low: 0.99, high: 1.2 }, 'a', 'b').verdict).toBe('unclear');
    expect(judge({ ratio: 0.995, low: 0.994, high: 0.996 }, 'a', 'b').verdict).toBe('unclear');
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
