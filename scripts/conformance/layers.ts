// `npm run conformance:layers -- --corpus DIR [--only REGEX] [--json FILE]`: one small Keras model per layer and option,
// as .tflite and as ONNX, at batch 4 and (for the first file of a case) at batch 1.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readNpz } from '../bench/arrays.ts';
import { type Outcome, runIsolated } from './isolate.ts';
import type { FormatResult, ModelJob, ModelResult } from './model-worker.ts';
import { brief, decibels, printTable } from './table.ts';

const { values: options } = parseArgs({
  options: { corpus: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
});
if (!options.corpus) {
  console.error('usage: npm run conformance:layers -- --corpus DIR [--only REGEX] [--json FILE]');
  process.exit(2);
}
const corpus = options.corpus;

interface Meta {
  readonly name: string;
  readonly layer: string;
  readonly formats: readonly string[];
  readonly inputs: readonly { name: string; shape: readonly (number | null)[] }[];
  readonly outputs: readonly { key: string }[];
  readonly negative: string | null;
  readonly tolerance?: string;
  readonly batch?: number;
}

const samples = 4;
const leastDb = 70;
const leastHalfDb = 45;
const only = options.only ? new RegExp(options.only) : undefined;
const index = JSON.parse(readFileSync(join(corpus, 'index.json'), 'utf8')) as { cases: { name: string }[] };
const metas = index.cases
  .filter(({ name }) => !only || only.test(name))
  .map(({ name }) => JSON.parse(readFileSync(join(corpus, name, 'meta.json'), 'utf8')) as Meta);

/** The leading dimension is the batch; other open ones are as large as in the samples. */
async function sampleShape(meta: Meta, input: Meta['inputs'][number], batch: number): Promise<number[]> {
  if (!input.shape.slice(1).includes(null)) return [batch, ...(input.shape.slice(1) as number[])];
  const arrays = await readNpz(join(corpus, meta.name, 'samples.npz'));
  return [batch, ...arrays[input.name].shape.slice(1)];
}

interface Case {
  readonly meta: Meta;
  readonly file: string;
  readonly job: ModelJob;
}

const cases: Case[] = [];
for (const meta of metas) {
  const folder = join(corpus, meta.name);
  const inputs = meta.inputs.map(({ name }) => ({ name, key: name }));
  for (const [i, file] of meta.formats.entries()) {
    const batches = meta.batch ? [meta.batch] : i === 0 ? [samples, 1] : [samples];
    for (const batch of batches) {
      const shapes: Record<string, number[]> = {};
      for (const input of meta.inputs) shapes[input.name] = await sampleShape(meta, input, batch);
      const runs = Math.floor(samples / batch);
      const path = join(folder, file);
      cases.push({ meta, file, job: { path, folder, shapes, inputs, outputs: meta.outputs, runs, batch } });
    }
  }
}

function formatPasses({ sqnrDb, integersEqual, status }: FormatResult, meta: Meta): boolean {
  const least = meta.tolerance?.includes('float16') ? leastHalfDb : leastDb;
  return integersEqual && status === 'ok' && (sqnrDb === null || sqnrDb >= least);
}

type Verdict = 'passes' | 'refused' | 'wrong' | 'fails';

function judge(meta: Meta, outcome: Outcome<ModelResult>, format: 'tflite' | 'onnx'): Verdict {
  if (outcome.kind !== 'result') return 'fails';
  const { result } = outcome;
  if ('refused' in result) {
    if (result.code === 'internal') return 'fails';
    if (!meta.negative) return 'refused';
    return result.refused.includes(meta.layer) || meta.layer === 'custom' ? 'passes' : 'fails';
  }
  if (meta.negative) return 'wrong';
  const figures = result.formats[format];
  if (formatPasses(figures, meta)) return 'passes';
  return figures.sqnrDb === Number.NEGATIVE_INFINITY ? 'refused' : 'wrong';
}

const outcomes = await runIsolated<ModelJob, ModelResult>(
  cases.map(({ job }) => job),
  { worker: new URL('./model-worker.ts', import.meta.url), timeoutMs: 60_000 },
);

/** The worst of all files and batches of a case. */
const order: readonly Verdict[] = ['passes', 'refused', 'fails', 'wrong'];
const report = metas.map((meta) => {
  const own = cases.flatMap((item, i) => (item.meta === meta ? [{ ...item, outcome: outcomes[i] }] : []));
  const verdict = (format: 'tflite' | 'onnx') =>
    order[Math.max(...own.map(({ outcome }) => order.indexOf(judge(meta, outcome, format))))];
  const words = own.flatMap(({ outcome, file, job }) => {
    if (outcome.kind !== 'result') return [`${file}: ${outcome.kind} ${outcome.words}`];
    if ('refused' in outcome.result) return [`${file}: ${outcome.result.refused}`];
    return (['tflite', 'onnx'] as const).flatMap((format) => {
      const figures = (outcome.result as { formats: Record<string, FormatResult> }).formats[format];
      if (formatPasses(figures, meta)) return [];
      return [`${file} batch ${job.batch} .${format}: ${decibels(figures.sqnrDb)} dB ${figures.words}`];
    });
  });
  const transposes = own.map(({ outcome }) =>
    outcome.kind === 'result' && 'formats' in outcome.result ? outcome.result.formats.tflite.transposes : 0,
  );
  return {
    name: meta.name,
    negative: meta.negative !== null,
    tflite: verdict('tflite'),
    onnx: verdict('onnx'),
    transposes: Math.max(...transposes),
    words: words[0] ?? '',
  };
});

const bad = report.filter(({ tflite, onnx }) => tflite !== 'passes' || onnx !== 'passes');
if (bad.length) {
  printTable([
    ['case', '.tflite', '.onnx', 'words'],
    ...bad.map(({ name, tflite, onnx, words }) => [name, tflite, onnx, brief(words, 240)]),
  ]);
}
const positive = report.filter(({ negative }) => !negative);
const count = (format: 'tflite' | 'onnx') => positive.filter((row) => row[format] === 'passes').length;
console.log(`\n.tflite ${count('tflite')} and .onnx ${count('onnx')} of ${positive.length} positive cases`);
console.log(
  `negatives refused: ${report.filter((row) => row.negative && row.tflite === 'passes').length} of ${report.length - positive.length}`,
);
console.log(
  `TRANSPOSE left in: ${
    report
      .filter(({ transposes }) => transposes > 0)
      .map(({ name, transposes }) => `${name} (${transposes})`)
      .join(', ') || 'none'
  }`,
);
if (options.json) writeFileSync(options.json, JSON.stringify(report, null, 1));
process.exit(bad.length === 0 ? 0 : 1);
