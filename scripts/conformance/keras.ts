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

/** How well TensorFlow agrees with others on one model, in dB; null where there is no difference. */
interface Agreement {
  /** With itself, when the image changes by a millionth. */
  readonly nudgedDb?: number | null;
  /** With its own .tflite; not measured wherever the model behaves. */
  readonly theirDb?: number | null;
}

/** What the Python script says of one architecture. */
interface Made {
  readonly name: string;
  readonly models: readonly ({
    readonly dialect: 'keras2' | 'keras3';
    readonly input: string;
    readonly shape: readonly number[];
    readonly samples: number;
    readonly parameters: number;
  } & Agreement)[];
  /** Of the .tflite that TensorFlow's converter makes. */
  readonly operators: Readonly<Record<string, number>>;
}

/** One file of one architecture. */
interface Row extends Agreement {
  readonly name: string;
  readonly file: string;
  readonly parameters: number;
  /** Absent where no file was made. */
  readonly tfliteDb?: number | null;
  readonly onnxDb?: number | null;
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

/** Undefined where no file was made; JSON has no infinity. */
function dbOf({ sqnrDb }: FormatResult): Row['tfliteDb'] {
  return sqnrDb === Number.NEGATIVE_INFINITY ? undefined : sqnrDb;
}

type Known = Pick<Row, 'file' | 'parameters' | keyof Agreement>;

function rowOf(made: Made, known: Known, outcome: Outcome<ModelResult>): Row {
  const theirs = { theirOperators: sum(made.operators), theirTransposes: made.operators.TRANSPOSE ?? 0 };
  const shared = { name: made.name, ...known, ...theirs };
  if (outcome.kind !== 'result' || 'refused' in outcome.result) {
    const words =
      outcome.kind === 'result'
        ? (outcome.result as { refused: string }).refused
        : `${outcome.kind}: ${outcome.words}`;
    return { ...shared, operators: 0, transposes: 0, pass: false, words };
  }
  const { tflite, onnx } = outcome.result.formats;
  const { operators, transposes } = tflite;
  const pass = near(tflite) && near(onnx) && operators <= shared.theirOperators && transposes === 0;
  const words = [tflite.words, onnx.words].filter(Boolean).join(' | ');
  return { ...shared, tfliteDb: dbOf(tflite), onnxDb: dbOf(onnx), operators, transposes, pass, words };
}

async function measure(name: string): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'whittle-keras-'));
  try {
    const made = await make(name, join(home, name));
    const files = made.models.flatMap(({ dialect, input, shape, samples, ...known }) =>
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
        return { job, known: { ...known, file: `${dialect} .${extension}` } };
      }),
    );
    const outcomes = await runIsolated<ModelJob, ModelResult>(
      files.map(({ job }) => job),
      { worker: new URL('./model-worker.ts', import.meta.url), timeoutMs: convertTimeoutMs },
    );
    return files.map(({ known }, i) => rowOf(made, known, outcomes[i]));
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

Written by \`npm run conformance:keras -- --markdown FILE\`. Architectures of Keras 3 and Keras 2 (tf_keras) with random weights and a 96 × 96 image, as each library saves them. The written files are run in LiteRT and onnxruntime and compared with TensorFlow's answers (${leastDb} dB are asked for); beside the operators of our .tflite stand those of TensorFlow's own converter at its best (batch 1). One line per architecture that was run: the worst of its files. The whole set takes hours; \`--json FILE --resume\` goes on where it ended.
`;

const chaos = `
## Below ${leastDb} dB

Random weights make some of the deepest networks chaotic: the roundings of one layer grow through all that follow. How well TensorFlow's own .tflite agrees with TensorFlow shows that, and how well TensorFlow agrees with itself when the image is multiplied by 1 + 10⁻⁶; two engines that round in another order cannot do much better.
`;

/** The least of some figures; absent where one of them is. */
function worst(values: readonly (number | null | undefined)[]): number | null | undefined {
  if (values.includes(undefined)) return undefined;
  const finite = values.filter((value) => typeof value === 'number');
  return finite.length > 0 ? Math.min(...finite) : null;
}

/** The worst of the files of each architecture, and what all of them say together. */
function markdown(all: readonly Row[]): string {
  const names = [...new Set(all.map(({ name }) => name))];
  const lines = names.map((name) => {
    const own = all.filter((row) => row.name === name);
    const most = own.reduce((a, b) => (b.operators > a.operators ? b : a));
    return [
      name,
      own.map(({ file }) => file).join(', '),
      ...cells(most).slice(2, 3),
      decibels(worst(own.map(({ tfliteDb }) => tfliteDb))),
      decibels(worst(own.map(({ onnxDb }) => onnxDb))),
      ...cells(most).slice(5, 7),
      own.every(({ pass }) => pass) ? 'yes' : 'NO',
    ];
  });
  return `${preface}\n${markdownTable(head, lines)}\n${chaoticModels(all)}`;
}

/** The models that do not reach what is asked for, each once, beside what TensorFlow reaches. */
function chaoticModels(all: readonly Row[]): string {
  const low = all.filter(({ tfliteDb, onnxDb }) =>
    [tfliteDb, onnxDb].some((db) => typeof db === 'number' && db < leastDb),
  );
  if (low.length === 0) return '';
  const lines = low.map(({ name, file, tfliteDb, onnxDb, theirDb, nudgedDb }) => [
    name,
    file.split(' ')[0],
    ...[tfliteDb, onnxDb, theirDb, nudgedDb].map(decibels),
  ]);
  const columns = [
    'architecture',
    'made by',
    '.tflite dB',
    '.onnx dB',
    "TensorFlow's .tflite dB",
    'image nudged dB',
  ];
  const once = [...new Map(lines.map((line) => [line.slice(0, 2).join(), line])).values()];
  return `${chaos}\n${markdownTable(columns, once)}\n`;
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
