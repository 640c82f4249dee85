import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { viewModel } from '../formats/tflite/model-view.ts';
import { litertGpu } from '../targets/litert-gpu.ts';
import { predict } from '../targets/predict.ts';
import { createEngines } from './engines.ts';

/** Chromium's Vulkan driver that computes on the CPU: slow, correct, and the same on every machine. */
const driverFolder = '/usr/lib/chromium';
const driver = `${driverFolder}/vk_swiftshader_icd.json`;
const hasDriver = existsSync(driver);
const missing = await createEngines().litert.unavailable();
if (!hasDriver)
  console.warn(`The GPU paths are not tested: there is no ${driver} (Debian's package chromium has it).`);

/** Largest of these fixtures' results is below 1; float16 has a step of 2⁻¹¹ there. */
const float16Step = 2 ** -11;

interface Answer {
  readonly difference: number;
  readonly largest: number;
  readonly description: string;
  readonly isAllOnDevice?: boolean;
  readonly providers: string[];
}

/** Runs a model on the CPU and on the GPU in a process that finds the driver: the loader looks at its environment once. */
async function run(engine: 'ort' | 'litert', model: string): Promise<Answer> {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const code = `
    const { createEngines } = await import(${module('./engines.ts')});
    const { randomFeeds } = await import(${module('../profile/feeds.ts')});
    const { toFloat32 } = await import(${module('../ir/tensor.ts')});
    const engine = createEngines()[${JSON.stringify(engine)}];
    const results = [];
    let about = {};
    for (const device of ['cpu', 'gpu']) {
      const profile = device === 'gpu' && engine.id === 'ort';
      const session = await engine.open(${JSON.stringify(model)}, { device, threads: 1, profile });
      const feeds = randomFeeds(session.inputs);
      results.push(toFloat32(Object.values(await session.run(feeds))[0]));
      const [ms] = await session.time(feeds, 1);
      if (!(ms > 0)) throw new Error('no time');
      const times = profile ? await session.operatorTimes() : [];
      about = {
        description: session.description,
        isAllOnDevice: session.isAllOnDevice,
        providers: [...new Set(times.flatMap(({ provider }) => provider ?? []))],
      };
      await session.close();
    }
    const [cpu, gpu] = results;
    const difference = Math.max(...cpu.map((value, i) => Math.abs(value - gpu[i])));
    const largest = Math.max(...cpu.map(Math.abs));
    console.log('answer ' + JSON.stringify({ difference, largest, ...about }));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: {
      ...process.env,
      VK_DRIVER_FILES: driver,
      VK_ICD_FILENAMES: driver,
      LD_LIBRARY_PATH: driverFolder,
    },
  });
  return JSON.parse(/^answer (.*)$/m.exec(stdout)![1]) as Answer;
}

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

describe.skipIf(!hasDriver)('on the GPU, results are the CPU’s within float16', () => {
  it.skipIf(missing)(
    'in LiteRT',
    async () => {
      const { difference, largest, description, isAllOnDevice } = await run(
        'litert',
        fixture('dense.tflite'),
      );
      expect(largest).toBeGreaterThan(0.1);
      expect(difference).toBeLessThan(float16Step);
      expect(description).toContain('GPU');
      // The published rules say the same as the accelerator.
      const { nodes, taken } = predict(viewModel(readFileSync(fixture('dense.tflite'))), litertGpu);
      expect(isAllOnDevice).toBe(taken.size === nodes);
      expect(isAllOnDevice).toBe(true);
    },
    60_000,
  );

  it('in onnxruntime', async () => {
    const { difference, largest, description, providers } = await run('ort', fixture('dense.onnx'));
    expect(largest).toBeGreaterThan(0.1);
    expect(difference).toBeLessThan(float16Step);
    expect(description).toContain('webgpu');
    expect(providers).toContain('WebGpu');
  }, 60_000);
});
