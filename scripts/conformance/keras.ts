// `npm run conformance:keras [-- --python PATH] [--only REGEX] [--json FILE [--resume]] [--markdown FILE]`: every
// architecture of keras.applications with random weights, made by a Python that has TensorFlow, as float32 .tflite and
// ONNX against TensorFlow's answers, and its operators against those of TensorFlow's own converter.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { markdownTable } from '../markdown-table.ts';
import { type Outcome, runIsolated } from './isolate.ts';
import type { FormatResult, ModelJob, ModelResult } from './model-worker.ts';
import { brief, decibels, printTable } from './table.ts';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    resume: { type: 'boolean' },
    markdown: { type: 'string' },
  },
});

/** What the Python script says of one architecture. */
interface Made {
  readonly name: string;
  readonly models: readonly {
    readonly dialect: 'keras2' | 'keras3';
    readonly input: string;
    readonly shape: readonly number[];
    readonly samples: number;
    readonly parameters: number;
  }[];
  /** Of the .tflite that TensorFlow's converter makes. */
  readonly operators: Readonly<Record<string, number>>;
}

/** One file of one architecture. */
interface Row {
  readonly name: string;
  readonly file: string;
  readonly parameters: number;
  readonly tfliteDb: number | null;
  readonly onnxDb: number | null;
  readonly operators: number;
  readonly transposes: number;
  readonly theirOperators: number;
  readonly theirTransposes: number;
  readonly pass: boolean;
  readonly words: string;
}

const leastDb = 80;
const makeTimeoutMs = 900_000;
const convertTimeoutMs = 600_000;
const script = fileURLToPath(new URL('./keras-applications.py', import.meta.url));
const pythonPath =
  options.python ?? process.env.WHITTLE_PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');

function listArchitectures(): string[] {
  try {
    return JSON.parse(execFileSync(pythonPath, [script, 'list'], { encoding: 'utf8', stdio: 'pipe' }));
  } catch (error) {
    const words = `${(error as { stderr?: string }).stderr ?? error}`.trim().split('\n').at(-1);
    console.error(
      `${pythonPath} cannot make the models: ${words}\nA Python with the packages tensorflow and tf_keras is needed: name it with --python PATH or WHITTLE_PYTHON.`,
    );
    process.exit(2);
  }
}

async function make(name: string, folder: string): Promise<Made> {
  await promisify(execFile)(pythonPath, [script, 'make', name, folder], { timeout: makeTimeoutMs });
  return JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Made;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function near({ sqnrDb, status }: FormatResult): boolean {
  return status === 'ok' && (sqnrDb === null || sqnrDb >= leastDb);
}

function rowOf(made: Made, file: string, parameters: number, outcome: Outcome<ModelResult>): Row {
  const theirs = { theirOperators: sum(made.operators), theirTransposes: made.operators.TRANSPOSE ?? 0 };
  const shared = { name: made.name, file, parameters, ...theirs };
  if (outcome.kind !== 'result' || 'refused' in outcome.result) {
    const words =
      outcome.kind === 'result'
        ? (outcome.result as { refused: string }).refused
        : `${outcome.kind}: ${outcome.words}`;
    const lost = Number.NEGATIVE_INFINITY;
    return { ...shared, tfliteDb: lost, onnxDb: lost, operators: 0, transposes: 0, pass: false, words };
  }
  const { tflite, onnx } = outcome.result.formats;
  const { operators, transposes } = tflite;
  const pass = near(tflite) && near(onnx) && operators <= shared.theirOperators && transposes === 0;
  const words = [tflite.words, onnx.words].filter(Boolean).join(' | ');
  return { ...shared, tfliteDb: tflite.sqnrDb, onnxDb: onnx.sqnrDb, operators, transposes, pass, words };
}

async function measure(name: string): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'whittle-keras-'));
  try {
    const made = await make(name, join(home, name));
    const files = made.models.flatMap(({ dialect, input, shape, samples, parameters }) =>
      ['h5', 'keras'].map((extension) => {
        const folder = join(home, name, dialect);
        const job: ModelJob = {
          path: join(folder, `model.${extension}`),
          folder,
          shapes: { [input]: shape },
          inputs: [{ name: input, key: 'x' }],
          outputs: [{ key: 'y' }],
          runs: samples,
          batch: 1,
          data: join(folder, 'samples.npz'),
        };
        return { job, parameters, file: `${dialect} .${extension}` };
      }),
    );
    const outcomes = await runIsolated<ModelJob, ModelResult>(
      files.map(({ job }) => job),
      { worker: new URL('./model-worker.ts', import.meta.url), timeoutMs: convertTimeoutMs },
    );
    return files.map(({ file, parameters }, i) => rowOf(made, file, parameters, outcomes[i]));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const head = [
  'architecture',
  'file',
  'parameters',
  '.tflite dB',
  '.onnx dB',
  'operators',
  'TensorFlow',
  'passes',
];

function cells(row: Row): string[] {
  const count = (operators: number, transposes: number) =>
    transposes === 0 ? `${operators}` : `${operators} (TRANSPOSE ${transposes})`;
  return [
    row.name,
    row.file,
    row.parameters.toLocaleString('en'),
    decibels(row.tfliteDb),
    decibels(row.onnxDb),
    count(row.operators, row.transposes),
    count(row.theirOperators, row.theirTransposes),
    row.pass ? 'yes' : 'NO',
  ];
}

const preface = `# keras.applications

Written by \`npm run conformance:keras -- --markdown FILE\`. Architectures of Keras 3 and Keras 2 (tf_keras) with random weights and a 96 × 96 image, as each library saves them. The written files are run in LiteRT and onnxruntime and compared with TensorFlow's answers (${leastDb} dB are asked for); beside the operators of our .tflite stand those of TensorFlow's own converter at its best (frozen, batch 1). One line per architecture that was run: the worst of its files. The whole set takes hours; \`--json FILE --resume\` goes on where it ended.

Random weights make a few of the deepest networks chaotic, so that no two engines agree on them: of EfficientNetB5 as Keras 2 makes it here, TensorFlow's own .tflite agrees with TensorFlow to 19.8 dB, and TensorFlow with itself to 17.8 dB when the image changes by a millionth. They are listed as they were measured.
`;

/** The worst of the files of each architecture, and what all of them say together. */
function markdown(all: readonly Row[]): string {
  const names = [...new Set(all.map(({ name }) => name))];
  const worst = (values: readonly (number | null)[]) =>
    Math.min(...values.map((value) => value ?? Number.POSITIVE_INFINITY));
  const shown = (value: number) => decibels(value === Number.POSITIVE_INFINITY ? null : value);
  const lines = names.map((name) => {
    const own = all.filter((row) => row.name === name);
    const most = own.reduce((a, b) => (b.operators > a.operators ? b : a));
    return [
      name,
      own.map(({ file }) => file).join(', '),
      ...cells(most).slice(2, 3),
      shown(worst(own.map(({ tfliteDb }) => tfliteDb))),
      shown(worst(own.map(({ onnxDb }) => onnxDb))),
      ...cells(most).slice(5, 7),
      own.every(({ pass }) => pass) ? 'yes' : 'NO',
    ];
  });
  return `${preface}\n${markdownTable(head, lines)}\n`;
}

// An interrupted run goes on where its file ends: all of them take hours.
const rows: Row[] =
  options.resume && options.json && existsSync(options.json)
    ? (JSON.parse(readFileSync(options.json, 'utf8')) as Row[])
    : [];
const done = new Set(rows.map(({ name }) => name));
const only = options.only ? new RegExp(options.only) : undefined;
for (const name of listArchitectures()) {
  if (done.has(name) || (only && !only.test(name))) continue;
  const found = await measure(name);
  rows.push(...found);
  for (const row of found) console.error([...cells(row), row.pass ? '' : brief(row.words, 400)].join('  '));
  if (options.json) writeFileSync(options.json, JSON.stringify(rows, null, 1));
}
printTable([head, ...rows.map(cells)]);
const passed = rows.filter(({ pass }) => pass).length;
console.log(`\n${passed} of ${rows.length} files pass`);
if (options.markdown) writeFileSync(options.markdown, markdown(rows));
process.exit(passed === rows.length ? 0 : 1);
