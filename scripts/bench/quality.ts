// `npm run bench:quality -- --corpus DIR [--baselines FILE] [--models a,b] [--precisions p,q] [--calibration NAME]
// [--recovery NAME] [--markdown FILE]`: quality of every precision on held-out samples, beside the best figure of any peer's .tflite.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ArtifactView, Precision, Recipe } from '../../core/contract/views.ts';
import type { Engine } from '../../core/ir/engine.ts';
import { toFloat32 } from '../../core/ir/tensor.ts';
import { createEngines } from '../../core/runtime/engines.ts';
import { optimize } from '../../core/studio/optimize.ts';
import { markdownTable } from '../markdown-table.ts';
import { argMax, readNpz, row, Sqnr } from './arrays.ts';
import { type Baseline, readBaselines } from './baselines.ts';
import { feed, type Port } from './feed.ts';
import { figure, percent } from './figures.ts';

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string' },
    baselines: { type: 'string' },
    markdown: { type: 'string' },
    models: { type: 'string' },
    precisions: { type: 'string' },
    calibration: { type: 'string' },
    recovery: { type: 'string' },
  },
});
if (!options.corpus) {
  console.error(
    'usage: npm run bench:quality -- --corpus DIR [--models a,b] [--precisions p,q] [--markdown FILE]',
  );
  process.exit(2);
}
const corpus = options.corpus;
const baselineFile = options.baselines ?? join(corpus, '..', 'BASELINES.csv');
const baselines = existsSync(baselineFile) ? readBaselines(baselineFile) : [];

const models = options.models?.split(',') ?? [
  'mlp_digits',
  'cnn_digits',
  'cnn_mnist',
  'mbv2_mnist',
  'transformer_digits',
  'unet_shapes',
  'mixed_digits',
  'lstm_digits',
  'mltk-cifar10-resnet8-h5',
  'mltk-vww-h5',
  'fer-minixception-hdf5',
  'efficientnet-lite0-onnx-built',
];
const precisions = (options.precisions ?? 'int8,int16x8,dynamic-int8,weights-int8,weights-int4,float16')
  .split(',')
  .map((name) => Precision.parse(name));

/** The peers' modes that make the same kind of .tflite as a precision of ours. */
const peerModes: Readonly<Record<string, readonly string[]>> = {
  int8: ['int8_floatio', 'static_wi8_ai8'],
  int16x8: ['int16x8', 'static_wi8_ai16'],
  'dynamic-int8': ['dynamic', 'dynamic_wi8_afp32'],
  'weights-int8': ['weight_only_wi8_afp32'],
  'weights-int4': ['weight_only_wi4_afp32'],
  float16: ['float16'],
};
const tfliteTools = ['TFLiteConverter', 'ai-edge-quantizer'];

interface Meta {
  model: string;
  models?: string[];
  inputs: Port[];
  outputs: Port[];
  test_scale?: number;
  test_offset?: number;
}

interface Row {
  model: string;
  precision: Precision;
  sqnrDb: number;
  accuracy: number | undefined;
  floatAccuracy: number | undefined;
  bytes: number;
  status: string;
  heldOut: boolean;
}

interface TestSet {
  count: number;
  heldOut: boolean;
  inputs(index: number): Float32Array[];
  labels: Float32Array | undefined;
}

async function openTest(folder: string, meta: Meta): Promise<TestSet> {
  const heldOut = existsSync(join(folder, 'test.npz'));
  const arrays = await readNpz(join(folder, heldOut ? 'test.npz' : 'samples.npz'));
  const sources = meta.inputs.map((port) => (heldOut && arrays.x ? arrays.x : arrays[port.key]));
  const scale = heldOut ? (meta.test_scale ?? 1) : 1;
  const offset = heldOut ? (meta.test_offset ?? 0) : 0;
  const isClass = heldOut && arrays.y?.shape.length === 1 && meta.outputs.length === 1;
  return {
    count: sources[0].shape[0],
    heldOut,
    inputs: (index) => sources.map((source) => row(source, index, scale, offset)),
    labels: isClass ? toFloat32(arrays.y) : undefined,
  };
}

async function outputsOf(
  engine: Engine,
  artifact: ArtifactView,
  meta: Meta,
  test: TestSet,
): Promise<Float32Array[][]> {
  const session = await engine.open(artifact.path);
  const all: Float32Array[][] = [];
  for (let i = 0; i < test.count; i++) {
    const inputs = test.inputs(i);
    const results = await session.run(
      Object.fromEntries(meta.inputs.map((port, p) => [port.name, feed(session, port, inputs[p])])),
    );
    all.push(meta.outputs.map((port) => toFloat32(results[port.name]).slice()));
  }
  await session.close();
  return all;
}

function accuracyOf(outputs: Float32Array[][], { labels, count }: TestSet): number | undefined {
  return labels && outputs.filter(([scores], i) => argMax(scores) === labels[i]).length / count;
}

async function measure(name: string): Promise<Row[]> {
  const folder = join(corpus, name);
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Meta;
  const file = meta.models?.find((candidate) => candidate.endsWith('.h5')) ?? meta.model;
  const out = mkdtempSync(join(tmpdir(), 'whittle-quality-'));
  try {
    const recipe = Recipe.parse({
      precisions: ['float32', ...precisions],
      ...(options.calibration ? { calibration: options.calibration } : {}),
      ...(options.recovery ? { recovery: options.recovery } : {}),
    });
    const data = { paths: [join(folder, 'samples.npz')] };
    const { artifacts } = await optimize(
      { path: join(folder, file), recipe, data, outDir: out },
      { engines, signal: new AbortController().signal },
    );
    const test = await openTest(folder, meta);
    const engine = await engines.tflite();
    const reference = await outputsOf(engine, artifacts[0], meta, test);
    const rows: Row[] = [];
    for (const artifact of artifacts.slice(1)) {
      const failed = artifact.gates.filter((gate) => !gate.ok).map((gate) => gate.detail);
      for (const detail of failed) console.error(`${name} ${artifact.precision}: ${detail}`);
      const isMade = existsSync(artifact.path);
      const outputs = isMade ? await outputsOf(engine, artifact, meta, test) : [];
      const sqnr = new Sqnr();
      for (const [i, made] of outputs.entries()) {
        for (const [o, values] of made.entries()) sqnr.add(reference[i][o], values);
      }
      rows.push({
        model: name,
        precision: artifact.precision,
        sqnrDb: isMade ? sqnr.decibels : Number.NaN,
        accuracy: isMade ? accuracyOf(outputs, test) : undefined,
        floatAccuracy: accuracyOf(reference, test),
        bytes: artifact.sizeBytes,
        status: artifact.status,
        heldOut: test.heldOut,
      });
    }
    return rows;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function bestPeer({ model, precision }: Row): Baseline | undefined {
  return baselines
    .filter((b) => b.model === model && tfliteTools.includes(b.tool) && Number.isFinite(b.sqnrDb))
    .filter((b) => peerModes[precision]?.includes(b.mode))
    .sort((a, b) => b.sqnrDb - a.sqnrDb)[0];
}

function cells(r: Row): string[] {
  const peer = bestPeer(r);
  return [
    r.model + (r.heldOut ? '' : ' *'),
    r.precision + (r.status === 'ok' ? '' : ` (${r.status})`),
    figure(r.sqnrDb),
    figure(peer?.sqnrDb),
    figure(peer && r.sqnrDb - peer.sqnrDb),
    percent(r.accuracy),
    percent(peer?.accuracy),
    percent(r.floatAccuracy),
    String(r.bytes),
    figure(peer?.sizeBytes, 0),
    peer?.tool ?? '–',
  ];
}

const head = [
  'model',
  'precision',
  'dB',
  'best peer dB',
  'gain dB',
  'accuracy %',
  'peer %',
  'float %',
  'bytes',
  'peer bytes',
  'peer',
];

const engines = createEngines();
const rows: Row[] = [];
for (const name of models) {
  try {
    const measured = await measure(name);
    rows.push(...measured);
    for (const r of measured) console.error(cells(r).join('  '));
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
const text = `${markdownTable(head, rows.map(cells))}\n\n\\* on the calibration samples: there are no held-out ones.\n`;
console.log(text);
if (options.markdown) writeFileSync(options.markdown, text);
