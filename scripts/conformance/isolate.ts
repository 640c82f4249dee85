/** Runs cases in a process of their own, so that a native crash or a hang costs one case and not the run. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What became of one case. */
export type Outcome<R> =
  | { readonly kind: 'result'; readonly result: R }
  | { readonly kind: 'crash'; readonly words: string }
  | { readonly kind: 'timeout'; readonly words: string };

export interface IsolateOptions<C, R> {
  /** Module that calls `serveCases`. */
  readonly worker: URL;
  readonly timeoutMs: number;
  readonly onOutcome?: (testCase: C, outcome: Outcome<R>, done: number) => void;
}

/** Cases after which the worker is replaced: what one case leaves behind must not add up. */
const casesPerWorker = 200;
/** So much of what the worker wrote to stderr is kept for the report of a crash. */
const stderrLimit = 2000;

interface Worker {
  readonly child: ChildProcess;
  stderr: string;
}

/** One file of the worker and all that it imports: it starts in a fraction of the time, which each crash costs anew. */
async function bundle(worker: URL): Promise<string> {
  const home = fileURLToPath(new URL('../../node_modules/.cache/whittle-conformance/', import.meta.url));
  mkdirSync(home, { recursive: true });
  const outfile = join(home, `${basename(worker.pathname, '.ts')}-${process.pid}.mjs`);
  await build({
    entryPoints: [fileURLToPath(worker)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}

function start(file: string): Worker {
  const child = fork(file, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' });
  const state: Worker = { child, stderr: '' };
  child.stderr?.on('data', (chunk: Buffer) => {
    state.stderr = (state.stderr + chunk.toString()).slice(-stderrLimit);
  });
  return state;
}

function runOne<C, R>(worker: Worker, testCase: C, timeoutMs: number): Promise<Outcome<R>> {
  const { child } = worker;
  return new Promise((resolve) => {
    const finish = (outcome: Outcome<R>) => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(outcome);
    };
    const onMessage = (result: unknown) => finish({ kind: 'result', result: result as R });
    const onExit = (code: number | null, signal: string | null) =>
      finish({
        kind: 'crash',
        words: `${signal ?? `exit ${code}`}: ${worker.stderr.trim().split('\n').slice(-2).join(' ')}`,
      });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      finish({ kind: 'timeout', words: `no result after ${timeoutMs / 1000} s` });
    }, timeoutMs);
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send({ testCase });
  });
}

/** One outcome per case, in their order. */
export async function runIsolated<C, R>(
  cases: readonly C[],
  { worker: module, timeoutMs, onOutcome }: IsolateOptions<C, R>,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = [];
  const file = await bundle(module);
  let worker = start(file);
  for (const [i, testCase] of cases.entries()) {
    const outcome = await runOne<C, R>(worker, testCase, timeoutMs);
    outcomes.push(outcome);
    onOutcome?.(testCase, outcome, i + 1);
    if (outcome.kind !== 'result' || (i + 1) % casesPerWorker === 0) {
      worker.child.kill('SIGKILL');
      worker = start(file);
    }
  }
  worker.child.kill('SIGKILL');
  return outcomes;
}

/** The worker's side: answers each case with what `work` makes of it. */
export function serveCases<C, R>(work: (testCase: C) => Promise<R>): void {
  process.on('message', (message: { testCase: C }) => {
    work(message.testCase).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error);
        process.exit(70);
      },
    );
  });
}
