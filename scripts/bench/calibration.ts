// `npm run bench:calibration -- --model FILE --data FILE [--only memory,time,estimate]`: what calibrating costs. Memory:
// the peak of a process of its own for each number of samples, those of the file over and over. Time: observers in one
// process, in turn, the quickest of several rounds. Estimate: what `inspect` says of a run's memory beside what it took.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { calibrate } from '../../core/calibrate/calibrate.ts';
import { modelProcessFlags } from '../../core/cli/guarded.ts';
import {
  type Calibration,
  calibrations,
  type ModelView,
  type OptimizeReport,
} from '../../core/contract/views.ts';
import type { Dataset } from '../../core/data/dataset.ts';
import { openDataset } from '../../core/data/open-dataset.ts';
import type { Graph } from '../../core/ir/graph.ts';
import { prepareForOnnx } from '../../core/passes/pipeline.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { readSource, requireGraph, sampleInputs } from '../../core/studio/source-model.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    only: { type: 'string' },
    observers: { type: 'string', default: calibrations.join() },
    rounds: { type: 'string', default: '5' },
    /** Of a process that measures its own memory: observer and number of samples. */
    one: { type: 'string' },
  },
});
const { model, data } = options;
if (!model || !data) {
  console.error(
    'usage: npm run bench:calibration -- --model FILE --data FILE [--only memory,time,estimate] [--observers a,b] [--rounds N]',
  );
  process.exit(2);
}
const wanted = (part: string): boolean => !options.only || options.only.split(',').includes(part);
const counts = [32, 320, 3200];
const watched: readonly Calibration[] = ['minmax', 'entropy'];
const timedSamples = 100;

async function open(): Promise<{ graph: Graph; dataset: Dataset }> {
  const source = requireGraph(await readSource(model!, {}));
  const dataset = await openDataset([data!], sampleInputs(source));
  return { graph: prepareForOnnx(source).graph, dataset };
}

/** As many samples as wanted, those that are there over and over. */
function repeated(dataset: Dataset, count: number): Dataset {
  const { path, kind, close } = dataset;
  return { path, kind, count, sample: (index) => dataset.sample(index % dataset.count), close };
}

const { ort } = createEngines();

if (options.one) {
  const [observer, count] = options.one.split(',');
  const { graph, dataset } = await open();
  const samples = Number(count);
  await calibrate(graph, repeated(dataset, samples), ort, {
    samples,
    observer: observer as Calibration,
    seed: 0,
  });
  console.log(process.resourceUsage().maxRSS * 1024);
  process.exit(0);
}

if (wanted('memory')) {
  for (const observer of watched) {
    const peaks: number[] = [];
    for (const count of counts) {
      const script = fileURLToPath(import.meta.url);
      const args = [
        ...modelProcessFlags,
        script,
        '--model',
        model,
        '--data',
        data,
        '--one',
        `${observer},${count}`,
      ];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      peaks.push(Number(stdout));
    }
    const growth = 100 * (Math.max(...peaks) / peaks[0] - 1);
    const listed = counts.map((count, i) => `${count}: ${(peaks[i] / 1e6).toFixed(0)} MB`).join(', ');
    console.log(
      `${observer}, peak by number of samples: ${listed}; at most ${growth.toFixed(1)} % above the first`,
    );
  }
}

if (wanted('time')) {
  const { graph, dataset } = await open();
  const samples = repeated(dataset, timedSamples);
  const quickest = new Map<Calibration, number>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const observer of options.observers.split(',') as Calibration[]) {
      const start = performance.now();
      await calibrate(graph, samples, ort, { samples: timedSamples, observer, seed: 0 });
      const ms = performance.now() - start;
      quickest.set(observer, Math.min(ms, quickest.get(observer) ?? Number.POSITIVE_INFINITY));
    }
  }
  await dataset.close();
  const unit = quickest.get('minmax') ?? Number.NaN;
  for (const [observer, ms] of quickest)
    console.log(
      `${observer}: ${ms.toFixed(0)} ms for ${timedSamples} samples, ${(ms / unit).toFixed(2)} × minmax`,
    );
}

if (wanted('estimate')) {
  const out = mkdtempSync(join(tmpdir(), 'whittle-calibration-'));
  const run = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/core/cli.js', ...args, '--json'], {
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout);
  };
  const { memoryBytes } = (await run('inspect', model)) as ModelView;
  const optimize = ['optimize', model, '--precision', 'int8', '--data', data, '--out', out];
  const { peakRssBytes } = (await run(...optimize)) as OptimizeReport;
  rmSync(out, { recursive: true, force: true });
  const [told, taken] = [memoryBytes ?? Number.NaN, peakRssBytes].map((bytes) => bytes / 1e6);
  console.log(
    `memory of a run: ${told.toFixed(0)} MB told, ${taken.toFixed(0)} MB taken, ${(told / taken).toFixed(2)} ×`,
  );
}
