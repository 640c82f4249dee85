import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhittleError } from '../contract/errors.ts';
import type { Engine, Session } from '../ir/engine.ts';
import { floatTensor, type Tensor, tensorOf, toFloat32, typedData } from '../ir/tensor.ts';
import { rowFile } from '../testing/tflite-rows.ts';
import { createEngines } from './engines.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const engines = createEngines();
const missing = await engines.litert.unavailable();
if (missing) console.warn(`Native LiteRT is not tested: ${missing.reason}; ${missing.hint}`);

const x = floatTensor([1, 4], [0.1, -0.2, 0.3, 0.4]);
// onnxruntime 1.32 and ai-edge-litert 2.3 in Python, on the same files.
const softmaxOfDense = [0.264357, 0.2164372, 0.5192058];
const quantized = tensorOf('int8', [1, 4], Int8Array.of(12, -26, 37, 50));
const quantizedResult = [-1, -14, 41];

const tflite: { name: string; engine: Engine; there: boolean }[] = [
  { name: 'native', engine: engines.litert, there: !missing },
  { name: 'WASM', engine: engines.litertWasm, there: true },
];

async function withSession<T>(
  engine: Engine,
  model: string | Uint8Array,
  use: (session: Session) => Promise<T>,
) {
  const session = await engine.open(model, { threads: 1 });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function failureOf(action: Promise<unknown>): Promise<WhittleError> {
  const error = await action.then(
    () => undefined,
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(WhittleError);
  return error as WhittleError;
}

const quietGrowth = 2e6;

/**
 * Bytes of resident memory that a round adds, the least of some rounds: what is kept is kept each time, while the
 * garbage collector and the allocator add and return as they like.
 */
async function leastGrowth(round: () => Promise<void>): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await round();
  let least = Number.POSITIVE_INFINITY;
  // A leak adds its bytes in every round; the first quiet one clears.
  for (let i = 0; i < 12 && least >= quietGrowth; i++) {
    collect();
    const before = process.memoryUsage.rss();
    await round();
    collect();
    least = Math.min(least, process.memoryUsage.rss() - before);
  }
  return least;
}

function expectDense(values: Float32Array) {
  expect(values).toHaveLength(softmaxOfDense.length);
  for (const [i, value] of softmaxOfDense.entries()) expect(values[i]).toBeCloseTo(value, 6);
}

for (const { name, engine, there } of tflite) {
  describe.skipIf(!there)(`LiteRT ${name}`, () => {
    it.each([
      ['dense.tflite', 'x', 'y'],
      ['dense-batch.tflite', 'x', 'y'],
      ['no-signature.tflite', 'in', 'out'],
    ])('runs %s by its names', async (file, input, output) => {
      await withSession(engine, fixture(file), async (session) => {
        expect(session.inputs).toEqual([{ name: input, dtype: 'float32', shape: [1, 4] }]);
        expect(session.outputs).toEqual([{ name: output, dtype: 'float32', shape: [1, 3] }]);
        const result = toFloat32((await session.run({ [input]: x }))[output]);
        expectDense(result);
      });
    });

    it('runs int8 inputs and outputs and tells their quantization', async () => {
      await withSession(engine, await readFile(fixture('dense-int8.tflite')), async (session) => {
        expect(session.inputs[0].quant?.scales[0]).toBeCloseTo(2 / 255, 8);
        expect(session.inputs[0].quant?.zeroPoints).toEqual([-1]);
        expect(session.outputs[0].quant?.zeroPoints).toEqual([3]);
        expect([...(typedData((await session.run({ x: quantized })).y) as Int8Array)]).toEqual(
          quantizedResult,
        );
      });
    });

    it('gives results that later runs do not change', async () => {
      await withSession(engine, fixture('dense.tflite'), async (session) => {
        const first = (await session.run({ x })).y;
        const before = [...toFloat32(first)];
        await session.run({ x: floatTensor([1, 4], [9, 9, 9, 9]) });
        expect([...toFloat32(first)]).toEqual(before);
      });
    });

    it('refuses what is not a whole TFLite file', async () => {
      const bytes = await readFile(fixture('dense.tflite'));
      for (const cut of [4, 100, 300, 500, 700]) {
        const error = await failureOf(engine.open(bytes.subarray(0, cut)));
        expect(error.code).toBe('format.damaged');
        expect(error.message).toContain(`a model of ${cut} bytes is not a whole TFLite file`);
      }
      const missingFile = await failureOf(engine.open(fixture('absent.tflite')));
      expect(missingFile.code).toBe('file.not-found');
    });

    it('states both sides when feeds do not fit', async () => {
      await withSession(engine, fixture('dense.tflite'), async (session) => {
        const error = await failureOf(session.run({ z: floatTensor([1, 3], [1, 2, 3]) }));
        expect(error.code).toBe('data.mismatch');
        expect(error.message).toBe('input x (float32 [1, 4]) is missing; the model has no input z; it has x');
        const shape = await failureOf(session.run({ x: floatTensor([1, 3], [1, 2, 3]) }));
        expect(shape.message).toBe('input x takes float32 [1, 4] but was given float32 [1, 3]');
      });
    });

    it('opens and runs without keeping memory', async () => {
      // Bytes behind the model make each kept copy of it weigh 1 MB; a kept native interpreter is 40 kB, 100 times.
      const bytes = Buffer.concat([await readFile(fixture('dense.tflite')), Buffer.alloc(2 ** 20)]);
      const growth = await leastGrowth(async () => {
        for (let i = 0; i < 100; i++) await withSession(engine, bytes, (session) => session.run({ x }));
        await withSession(engine, bytes, (session) => session.time({ x }, 2000));
      });
      expect(growth).toBeLessThan(quietGrowth);
    });

    it('times runs', async () => {
      await withSession(engine, fixture('dense.tflite'), async (session) => {
        const times = await session.time({ x }, 50);
        expect(times).toHaveLength(50);
        expect(times.every((ms) => ms > 0 && ms < 1000)).toBe(true);
      });
    });

    it('works in a worker thread', async () => {
      const module = new URL('./engines.ts', import.meta.url).href;
      const code = `
        import(${JSON.stringify(module)}).then(async ({ createEngines }) => {
          const session = await createEngines()[${JSON.stringify(engine.id === 'litert' ? 'litert' : 'litertWasm')}].open(
            ${JSON.stringify(fixture('dense.tflite'))});
          const bytes = new Uint8Array(Float32Array.of(0.1, -0.2, 0.3, 0.4).buffer);
          const { y } = await session.run({ x: { dtype: 'float32', shape: [1, 4], bytes } });
          await session.close();
          require('node:worker_threads').parentPort.postMessage(y.bytes);
        });`;
      const worker = new Worker(code, { eval: true });
      const bytes = await new Promise<Uint8Array>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await worker.terminate();
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, 3);
      expectDense(values);
    });
  });
}

describe.skipIf(missing)('LiteRT native alone', () => {
  it('refuses results that the runtime leaves out, and still times the file', async () => {
    const file = rowFile({
      name: 'shape of the input',
      tensors: { x: { shape: [2, 3] }, to: { shape: [2], dtype: 'int32' }, y: { shape: [3, 2] } },
      operators: [{ op: 'RESHAPE', inputs: ['x', 'to'], outputs: ['y'] }],
      inputs: ['x', 'to'],
      outputs: ['y'],
    });
    const feeds = {
      x: floatTensor([2, 3], [1, 2, 3, 4, 5, 6]),
      to: tensorOf('int32', [2], Int32Array.of(3, 2)),
    };
    await withSession(engines.litert, file, async (session) => {
      await expect(session.run(feeds)).rejects.toThrow(/shapes of its outputs are only found while it runs/);
      expect(await session.time(feeds, 3)).toHaveLength(3);
      expect(session.description).toContain('loaded anew for each run');
    });
  });

  it('names the operators that took the time', async () => {
    const session = await engines.litert.open(fixture('dense.tflite'), { threads: 1, profile: true });
    await session.run({ x });
    const times = await session.operatorTimes!();
    await session.close();
    expect(times.some(({ op }) => op.startsWith('Fully Connected'))).toBe(true);
    expect(times.every(({ calls, ms }) => calls === 1 && ms < 1)).toBe(true);
  });

  it('refuses a device it does not have', async () => {
    const error = await failureOf(engines.litert.open(fixture('dense.tflite'), { device: 'cuda' }));
    expect(error.code).toBe('runtime.missing');
  });

  it('is what `tflite()` gives', async () => {
    expect((await engines.tflite()).id).toBe('litert');
  });
});

describe('onnxruntime', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whittle-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('agrees with LiteRT on the same weights', async () => {
    const result = await withSession(engines.ort, fixture('dense.onnx'), (session) => session.run({ x }));
    expectDense(toFloat32(result.y));
  });

  it('passes float16 bits, int64 and bool through open dimensions', async () => {
    const feeds: Record<string, Tensor> = {
      half: tensorOf('float16', [2, 2], Uint16Array.of(0x3c00, 0x4000, 0x0001, 0xbc00)),
      long: tensorOf('int64', [2, 2], BigInt64Array.of(1n, -2n, 2n ** 60n, 4n)),
      flag: tensorOf('bool', [2, 2], Uint8Array.of(1, 0, 0, 1)),
    };
    await withSession(engines.ort, await readFile(fixture('types.onnx')), async (session) => {
      expect(session.inputs.map((port) => port.shape)).toEqual([
        ['batch', 2],
        ['batch', 2],
        ['batch', 2],
      ]);
      const results = await session.run(feeds);
      for (const [name, feed] of Object.entries(feeds)) {
        const result = results[`${name}_out`];
        expect(result.shape).toEqual([2, 2]);
        expect(typedData(result)).toEqual(typedData(feed));
      }
    });
  });

  it('lists per-operator times of the runs that were recorded', async () => {
    const session = await engines.ort.open(fixture('dense.onnx'), { threads: 1, profile: true });
    await session.time({ x }, 5);
    const times = await session.operatorTimes!();
    await session.close();
    // The last one, without a name, is what a run takes beside its operators.
    expect(times.map(({ op, calls }) => `${op} ${calls}`)).toEqual(['Gemm 1', 'Softmax 1', ' 1']);
  });

  it('keeps the graph as written when optimization is off', async () => {
    const session = await engines.ort.open(fixture('dense.onnx'), {
      profile: true,
      graphOptimization: 'off',
    });
    await session.run({ x });
    const times = await session.operatorTimes!();
    await session.close();
    expect(times.map(({ op }) => op)).toEqual(['MatMul', 'Add', 'Softmax', '']);
  });

  it('fails in its own words', async () => {
    const broken = join(folder, 'broken.onnx');
    await writeFile(broken, 'not a model');
    const damaged = await failureOf(engines.ort.open(broken));
    expect(damaged.code).toBe('runtime.failed');
    expect(damaged.message).toMatch(/^onnxruntime could not open broken.onnx: .*Protobuf parsing failed/);
    const absent = await failureOf(engines.ort.open(fixture('dense.onnx'), { device: 'coreml' }));
    expect(absent.code).toBe('runtime.missing');
  });

  it('opens and runs without keeping memory', async () => {
    const growth = await leastGrowth(async () => {
      for (let i = 0; i < 50; i++)
        await withSession(engines.ort, fixture('dense.onnx'), (session) => session.run({ x }));
      await withSession(engines.ort, fixture('dense.onnx'), (session) => session.time({ x }, 1000));
    });
    expect(growth).toBeLessThan(quietGrowth);
  });
});
