// `npm run bench -- --corpus DIR [--baselines FILE] [--models a,b] [--markdown FILE]`: runs the main job on real models through the
// command line and measures the written files against independent reference outputs and the peers' figures.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { ArtifactView, OptimizeReport } from '../../core/contract/views.ts';
import type { Engine, Session } from '../../core/ir/engine.ts';
import { toFloat32 } from '../../core/ir/tensor.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { markdownTable } from '../markdown-table.ts';
import { argMax, readNpz, row, Sqnr } from './arrays.ts';
import { type Baseline, readBaselines } from './baselines.ts';
import { feed, type Port } from './feed.ts';
import { figure, percent } from './figures.ts';

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string' },
    baselines: { type: 'string' },
    markdown: { type: 'string' },
    models: { type: 'string' },
  },
});
if (!options.corpus) {
  console.error('usage: npm run bench -- --corpus DIR [--baselines FILE] [--models a,b] [--markdown FILE]');
  process.exit(2);
}
const corpus = options.corpus;
const baselineFile = options.baselines ?? join(corpus, '..', 'BASELINES.csv');
const baselines = existsSync(baselineFile) ? readBaselines(baselineFile) : [];

const defaultModels = [
  'mlp_digits',
  'cnn_digits',
  'cnn_mnist',
  'mbv2_mnist',
  'digits-cnn-keras',
  'mltk-cifar10-resnet8-h5',
  'mltk-vww-h5',
  'fer-minixception-hdf5',
  'mnist-cnn-onnx',
  'mtcnn-rnet-onnx',
  'efficientnet-lite0-onnx-built',
];
const models = options.models?.split(',') ?? defaultModels;

interface Meta {
  model: string;
  models?: string[];
  inputs: Port[];
  outputs: Port[];
  expected: { count: number };
  test_scale?: number;
  test_offset?: number;
}

interface Row {
  model: string;
  float32Db: number;
  float16Db: number;
  int8Db: number;
  heldOut: boolean;
  accuracy: number | undefined;
  referenceAccuracy: number | undefined;
  int8Bytes: number;
  operators: number;
  transposes: number;
  seconds: number;
  peakMb: number;
  tensorflow: Baseline | undefined;
  failedGates: string[];
}

async function outputsOf(session: Session, meta: Meta, inputs: Float32Array[]): Promise<Float32Array[]> {
  const feeds = Object.fromEntries(meta.inputs.map((port, i) => [port.name, feed(session, port, inputs[i])]));
  const results = await session.run(feeds);
  return meta.outputs.map((port) => toFloat32(results[port.name]));
}

async function againstExpected(
  engine: Engine,
  artifact: ArtifactView,
  folder: string,
  meta: Meta,
): Promise<number> {
  const samples = await readNpz(join(folder, 'samples.npz'));
  const expected = await readNpz(join(folder, 'expected.npz'));
  const session = await engine.open(artifact.path);
  const sqnr = new Sqnr();
  for (let i = 0; i < meta.expected.count; i++) {
    const outputs = await outputsOf(
      session,
      meta,
      meta.inputs.map((port) => row(samples[port.key], i)),
    );
    for (const [o, port] of meta.outputs.entries()) sqnr.add(row(expected[port.key], i), outputs[o]);
  }
  await session.close();
  return sqnr.decibels;
}

/** SQNR against the float32 file, and accuracy where the labels are class indices. */
async function heldOut(
  engine: Engine,
  artifact: ArtifactView,
  float: ArtifactView,
  folder: string,
  meta: Meta,
) {
  const hasTest = existsSync(join(folder, 'test.npz'));
  const arrays = await readNpz(join(folder, hasTest ? 'test.npz' : 'samples.npz'));
  const x = hasTest ? arrays.x : arrays[meta.inputs[0].key];
  const session = await engine.open(artifact.path);
  const reference = await engine.open(float.path);
  const sqnr = new Sqnr();
  let right = 0;
  let referenceRight = 0;
  const isClass = hasTest && arrays.y?.shape.length === 1 && meta.outputs.length === 1;
  for (let i = 0; i < x.shape[0]; i++) {
    const scale = hasTest ? (meta.test_scale ?? 1) : 1;
    const input = row(x, i, scale, hasTest ? (meta.test_offset ?? 0) : 0);
    const outputs = await outputsOf(session, meta, [input]);
    const wanted = await outputsOf(reference, meta, [input]);
    for (const [o, values] of outputs.entries()) sqnr.add(wanted[o], values);
    if (isClass) {
      const label = row(arrays.y, i)[0];
      if (argMax(outputs[0]) === label) right++;
      if (argMax(wanted[0]) === label) referenceRight++;
    }
  }
  await session.close();
  await reference.close();
  const count = x.shape[0];
  return {
    db: sqnr.decibels,
    heldOut: hasTest,
    accuracy: isClass ? right / count : undefined,
    referenceAccuracy: isClass ? referenceRight / count : undefined,
  };
}

/** One call of the command line, timed from outside with its peak memory. */
async function optimize(model: string, precision: string, data: string, out: string) {
  const args = [
    'dist/core/cli.js',
    'optimize',
    model,
    '--precision',
    precision,
    '--data',
    data,
    '--out',
    out,
    '--json',
  ];
  const started = performance.now();
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 28 }).catch((error) => error);
  const report = JSON.parse(stdout) as OptimizeReport & { error?: { message: string } };
  if (report.error) throw new Error(report.error.message);
  return { report, seconds: (performance.now() - started) / 1000 };
}

async function measure(name: string, engine: Engine): Promise<Row> {
  const folder = join(corpus, name);
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Meta;
  const file = meta.models?.find((candidate) => candidate.endsWith('.h5')) ?? meta.model;
  const out = mkdtempSync(join(tmpdir(), 'whittle-bench-'));
  const data = join(folder, 'samples.npz');
  const model = join(folder, file);
  const int8Run = await optimize(model, 'int8', data, join(out, 'int8'));
  const floatRun = await optimize(model, 'float32,float16', data, join(out, 'float'));
  const [float32, float16] = floatRun.report.artifacts;
  const [int8] = int8Run.report.artifacts;
  const held = await heldOut(engine, int8, float32, folder, meta);
  const result: Row = {
    model: name,
    float32Db: await againstExpected(engine, float32, folder, meta),
    float16Db: await againstExpected(engine, float16, folder, meta),
    int8Db: held.db,
    heldOut: held.heldOut,
    accuracy: held.accuracy,
    referenceAccuracy: held.referenceAccuracy,
    int8Bytes: int8.sizeBytes,
    operators: Object.values(int8.operators).reduce((sum, count) => sum + count, 0),
    transposes: int8.operators.TRANSPOSE ?? 0,
    seconds: int8Run.seconds,
    peakMb: int8Run.report.peakRssBytes / 2 ** 20,
    tensorflow: baselines.find(
      (b) => b.model === name && b.tool === 'TFLiteConverter' && b.mode === 'int8_floatio',
    ),
    failedGates: [float32, float16, int8].flatMap((artifact) =>
      artifact.gates.filter((gate) => !gate.ok).map((gate) => `${artifact.precision}: ${gate.detail}`),
    ),
  };
  rmSync(out, { recursive: true, force: true });
  return result;
}

function table(rows: readonly Row[]): string {
  const head = [
    'model',
    'float32 dB',
    'float16 dB',
    'int8 dB',
    'TF int8 dB',
    'int8 accuracy %',
    'float accuracy %',
    'TF int8 accuracy %',
    'int8 bytes',
    'TF int8 bytes',
    'operators',
    'TRANSPOSE',
    'int8 call s',
    'peak MB',
  ];
  const lines = rows.map((r) => [
    r.model,
    figure(r.float32Db),
    figure(r.float16Db),
    `${figure(r.int8Db, 2)}${r.heldOut ? '' : ' *'}`,
    figure(r.tensorflow?.sqnrDb, 2),
    percent(r.accuracy),
    percent(r.referenceAccuracy),
    percent(r.tensorflow?.accuracy),
    String(r.int8Bytes),
    figure(r.tensorflow?.sizeBytes, 0),
    String(r.operators),
    String(r.transposes),
    figure(r.seconds, 2),
    figure(r.peakMb, 0),
  ]);
  return markdownTable(head, lines);
}

const engine = await createEngines().tflite();
const rows: Row[] = [];
for (const name of models) {
  try {
    const result = await measure(name, engine);
    rows.push(result);
    console.error(`${name}: int8 ${figure(result.int8Db, 2)} dB in ${figure(result.seconds, 2)} s`);
    for (const gate of result.failedGates) console.error(`  failed gate — ${gate}`);
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
const text = `${table(rows)}\n\n\\* on the calibration samples: there are no held-out ones. Files run in ${engine.id}.\n`;
console.log(text);
if (options.markdown) writeFileSync(options.markdown, text);
