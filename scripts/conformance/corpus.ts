// `npm run conformance:corpus -- --corpus DIR [--only REGEX] [--json FILE]`: real models to float32 .tflite and ONNX,
// compared with outputs of independent engines; models that must be refused, with the words that must be named.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Outcome, runIsolated } from './isolate.ts';
import type { FormatResult, ModelJob, ModelResult } from './model-worker.ts';
import { brief, decibels, printTable } from './table.ts';

const { values: options } = parseArgs({
  options: { corpus: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
});
if (!options.corpus) {
  console.error('usage: npm run conformance:corpus -- --corpus DIR [--only REGEX] [--json FILE]');
  process.exit(2);
}

interface Meta {
  readonly name: string;
  readonly model: string;
  readonly negative: string | null;
  readonly must_name?: readonly string[];
  readonly quantized: boolean;
  readonly shape: Readonly<Record<string, readonly number[]>>;
  readonly inputs: readonly { name: string; key: string }[];
  readonly outputs: readonly { name: string; key: string }[];
  readonly expected: {
    readonly count: number;
    readonly max_abs_difference?: Readonly<Record<string, number>>;
  };
}

const leastDb = 80;
/** Where the reference engines disagree themselves, so many times that is allowed. */
const allowedDisagreement = 10;
const only = options.only ? new RegExp(options.only) : undefined;

const metas = readdirSync(options.corpus)
  .filter((name) => existsSync(join(options.corpus!, name, 'meta.json')) && (!only || only.test(name)))
  .map((name) => JSON.parse(readFileSync(join(options.corpus!, name, 'meta.json'), 'utf8')) as Meta);

const jobs = metas.map(({ name, model, shape, inputs, outputs, expected }): ModelJob => {
  const folder = join(options.corpus!, name);
  const path = join(folder, model);
  const runs = expected?.count ?? 0;
  return {
    path,
    folder,
    shapes: shape ?? {},
    inputs: inputs ?? [],
    outputs: outputs ?? [],
    runs,
    batch: 1,
    data: inputs ? join(folder, 'samples.npz') : undefined,
  };
});

function formatPasses(result: FormatResult, meta: Meta): boolean {
  if (!result.integersEqual || result.status !== 'ok') return false;
  const near = meta.expected.max_abs_difference;
  if (result.sqnrDb === null || result.sqnrDb >= leastDb) return true;
  return (
    near !== undefined &&
    Object.entries(result.largest).every(([key, value]) => value <= allowedDisagreement * (near[key] ?? 0))
  );
}

function judge(meta: Meta, outcome: Outcome<ModelResult>): { pass: boolean; cells: string[] } {
  if (outcome.kind !== 'result') return { pass: false, cells: [outcome.kind, '', '', outcome.words] };
  const { result } = outcome;
  if ('refused' in result) {
    const named = (meta.must_name ?? []).every((word) => result.refused.includes(word));
    const due = meta.negative ? named : meta.quantized && result.code === 'model.already-quantized';
    return { pass: due && result.code !== 'internal', cells: ['refused', '', '', result.refused] };
  }
  const { tflite, onnx } = result.formats;
  const pass = !meta.negative && formatPasses(tflite, meta) && formatPasses(onnx, meta);
  const words = [tflite.words, onnx.words].filter(Boolean).join(' | ');
  return { pass, cells: ['converted', decibels(tflite.sqnrDb), decibels(onnx.sqnrDb), words] };
}

const outcomes = await runIsolated<ModelJob, ModelResult>(jobs, {
  worker: new URL('./model-worker.ts', import.meta.url),
  timeoutMs: 180_000,
});
const verdicts = outcomes.map((outcome, i) => judge(metas[i], outcome));
printTable([
  ['model', 'passes', 'result', '.tflite dB', '.onnx dB', 'words'],
  ...verdicts.map(({ pass, cells }, i) => [
    metas[i].name,
    pass ? 'yes' : 'NO',
    ...cells.slice(0, 3),
    brief(cells[3], pass ? 60 : 400),
  ]),
]);
const passed = verdicts.filter(({ pass }) => pass).length;
console.log(`\n${passed} of ${verdicts.length} pass`);
if (options.json) {
  const report = metas.map(({ name }, i) => ({ name, pass: verdicts[i].pass, outcome: outcomes[i] }));
  writeFileSync(options.json, JSON.stringify(report, null, 1));
}
process.exit(passed === verdicts.length ? 0 : 1);
