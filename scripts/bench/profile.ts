// `npm run bench:profile -- --corpus DIR [--only speed,memory,operators,same]`: our runtimes beside the same ones in
// Python, in turn; memory over many runs and sessions; whether operator times sum to the whole; A/A comparisons.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Engine } from '../../core/ir/engine.ts';
import { median } from '../../core/kernels/metrics.ts';
import { compareFiles } from '../../core/profile/compare-files.ts';
import { randomFeeds } from '../../core/profile/feeds.ts';
import { ratioInterval } from '../../core/profile/interleaved-ratio.ts';
import { profileModel } from '../../core/profile/profile-model.ts';
import { createEngines } from '../../core/runtime/engines.ts';

const { values: options } = parseArgs({ options: { corpus: { type: 'string' }, only: { type: 'string' } } });
if (!options.corpus) {
  console.error('usage: npm run bench:profile -- --corpus DIR [--only speed,memory,operators,same]');
  process.exit(2);
}
const corpus = options.corpus;
const wanted = (part: string): boolean => !options.only || options.only.split(',').includes(part);
const engines = createEngines();
const out = mkdtempSync(join(tmpdir(), 'whittle-profile-'));
const threads = 1;

const peer = fileURLToPath(new URL('./profile-peer.py', import.meta.url));
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Float32 and int8 files of a corpus model, made by the command line. */
async function convert(name: string, format: 'tflite' | 'onnx'): Promise<string[]> {
  const folder = join(corpus, name);
  const { model } = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as { model: string };
  const to = join(out, `${name}-${format}`);
  const args = [
    'optimize',
    join(folder, model),
    '--precision',
    'float32,int8',
    '--format',
    format,
    '--out',
    to,
    '--force',
  ];
  const data = join(folder, 'samples.npz');
  if (existsSync(data)) args.push('--data', data, '--samples', '16');
  await promisify(execFile)(process.execPath, ['dist/core/cli.js', ...args], { maxBuffer: 2 ** 26 });
  return readdirSync(to)
    .filter((file) => file.endsWith(`.${format}`))
    .sort()
    .map((file) => join(to, file));
}

/** A Python process that runs a model when it is told to. */
async function openPeer(kind: 'litert' | 'ort', path: string) {
  const child = spawn('python3', [peer, kind, path, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${kind} in Python ended on ${path}`);
    return value;
  };
  await next();
  return {
    async time(runs: number): Promise<number[]> {
      child.stdin.write(`${runs}\n`);
      return (await next()).split(' ').map(Number);
    },
    close: () => child.stdin.end(),
  };
}

const rounds = 24;
const openings = 4;

/** Time of ours ÷ time of Python's, over several openings of both, in blocks that alternate. */
async function besidePython(kind: 'litert' | 'ort', engine: Engine, path: string) {
  const ratios: number[] = [];
  const medians: [number[], number[]] = [[], []];
  for (let opening = 0; opening < openings; opening++) {
    const session = await engine.open(path, { threads });
    const feeds = randomFeeds(session.inputs);
    const python = await openPeer(kind, path);
    const first = median(await session.time(feeds, 10));
    const runs = Math.max(3, Math.min(1000, Math.round(25 / first)));
    await python.time(runs);
    const sides: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const times = side === 0 ? await session.time(feeds, runs) : await python.time(runs);
        // The least disturbed quarter of a block: other programs only ever add time.
        sides[side].push(Float64Array.from(times).sort()[Math.floor(times.length / 4)]);
      }
    }
    const [a, b] = sides.map((list) => median(list));
    ratios.push(a / b);
    medians[0].push(a);
    medians[1].push(b);
    python.close();
    await session.close();
  }
  return { ...ratioInterval(ratios), ours: median(medians[0]), python: median(medians[1]) };
}

const fixed = (value: number, digits = 4): string => value.toFixed(digits);
const name = (path: string): string => path.slice(out.length + 1);

async function speed(): Promise<void> {
  console.log('| file | runtime | ours ms | Python ms | ratio | 99 % interval |\n|---|---|---|---|---|---|');
  for (const model of ['mbv2_mnist', 'efficientnet-lite0-onnx-built']) {
    for (const [kind, engine, format] of [
      ['litert', engines.litert, 'tflite'],
      ['ort', engines.ort, 'onnx'],
    ] as const) {
      for (const path of await convert(model, format)) {
        const { ours, python, ratio, low, high } = await besidePython(kind, engine, path);
        console.log(
          `| ${name(path)} | ${kind} | ${fixed(ours)} | ${fixed(python)} | ${fixed(ratio, 3)} | ${fixed(low, 3)} to ${fixed(high, 3)} |`,
        );
      }
    }
  }
  for (const path of await convert('mlp_digits', 'tflite')) {
    const session = await engines.litert.open(path, { threads });
    const feeds = randomFeeds(session.inputs);
    await session.time(feeds, 20_000);
    const start = performance.now();
    const times = await session.time(feeds, 100_000);
    const wallUs = (performance.now() - start) / 100;
    await session.close();
    console.log(
      `${name(path)}: a whole call takes ${fixed(median(times) * 1000, 2)} µs, ${fixed(wallUs, 2)} µs with the loop around it`,
    );
  }
}

function residentMb(): number {
  collect();
  return process.memoryUsage.rss() / 2 ** 20;
}

async function memory(): Promise<void> {
  console.log('| runtime | 10,000 runs MB | 500 sessions MB |\n|---|---|---|');
  const [tflite] = await convert('mlp_digits', 'tflite');
  const [onnx] = await convert('mlp_digits', 'onnx');
  for (const engine of [engines.litert, engines.ort, engines.litertWasm]) {
    const path = engine.format === 'tflite' ? tflite : onnx;
    const session = await engine.open(path, { threads });
    const feeds = randomFeeds(session.inputs);
    const runs = async (count: number) => {
      for (let i = 0; i < count; i++) await session.run(feeds);
    };
    const sessions = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const one = await engine.open(path, { threads });
        await one.run(feeds);
        await one.close();
      }
    };
    // As many before: JavaScript's own heap finds its size in the first thousands.
    await runs(10_000);
    let before = residentMb();
    await runs(10_000);
    const byRuns = residentMb() - before;
    await session.close();
    await sessions(50);
    before = residentMb();
    await sessions(500);
    console.log(`| ${engine.id} | ${fixed(byRuns, 1)} | ${fixed(residentMb() - before, 1)} |`);
  }
}

async function operators(): Promise<void> {
  console.log('| file | operators ms | whole run ms | ratio |\n|---|---|---|---|');
  for (const [engine, format] of [
    [engines.litert, 'tflite'],
    [engines.ort, 'onnx'],
  ] as const) {
    for (const path of await convert('efficientnet-lite0-onnx-built', format)) {
      const tries: { sum: number; whole: number }[] = [];
      for (let i = 0; i < 7; i++) {
        const { perOp = [], timesMs } = await profileModel(engine, path, path, {
          threads,
          perOp: true,
          quick: true,
        });
        // Operator times are of the quicker half of the runs under the profiler, so the whole is told from its own.
        const quick = Float64Array.from(timesMs)
          .sort()
          .subarray(0, timesMs.length >> 1);
        tries.push({
          sum: perOp.reduce((total, { ms }) => total + ms, 0),
          whole: quick.reduce((total, ms) => total + ms, 0) / quick.length,
        });
      }
      const sum = median(tries.map((one) => one.sum));
      const whole = median(tries.map((one) => one.whole));
      console.log(`| ${name(path)} | ${fixed(sum)} | ${fixed(whole)} | ${fixed(sum / whole, 3)} |`);
    }
  }
}

async function same(): Promise<void> {
  const [, path] = await convert('mbv2_mnist', 'tflite');
  const side = { path, model: path, engine: engines.litert };
  let called = 0;
  for (let i = 0; i < 20; i++) {
    const { verdict, words } = await compareFiles(side, side, { device: 'cpu', threads, budgetMs: 1000 });
    if (verdict === 'unclear') continue;
    called++;
    console.log(words);
  }
  console.log(`a file beside itself: a difference is called in ${called} of 20 tries`);
}

try {
  for (const [part, measure] of Object.entries({ speed, memory, operators, same })) {
    if (!wanted(part)) continue;
    console.log(`\n## ${part}\n`);
    await measure();
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exit(0);
