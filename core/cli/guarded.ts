import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { WhittleError } from '../contract/errors.ts';
import { type CliIo, exitCodes, printError } from './io.ts';

/** Commands that run native code on what a person brings. */
const nativeCommands: ReadonlySet<string> = new Set(['optimize', 'evaluate', 'profile', 'compare']);
const childMark = 'WHITTLE_GUARDED';
/** Beyond this, Windows tells by which fault a process ended. */
const largestExitCode = 255;

/**
 * Flags of the process that runs models. Node lets samples and results that nobody needs any more pile up to twice the
 * size of its semi-space, 128 MB by default; a small one holds the process' memory where it was after a few samples.
 */
export const modelProcessFlags: readonly string[] = ['--max-semi-space-size=4'];

/**
 * Settings of glibc for that process, other systems have no such variables. Left to itself it keeps what runtimes free,
 * in blocks of up to 32 MB, for what may be asked for later: as much as a model's weights.
 */
export const modelProcessEnv: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: `${2 ** 20}` };

/** Whether these arguments should run in a process of their own, and this is not that process. */
export function wantsGuard(args: readonly string[]): boolean {
  return nativeCommands.has(args[0]) && process.env[childMark] === undefined;
}

/** What the guarded process tells: the files that it is writing right now. */
interface Unfinished {
  readonly unfinished: readonly string[];
}

/**
 * Runs the command line in a process of its own that prints for itself. A runtime that crashes on a model takes that
 * process with it, not the answer: the crash is told as any error is, and what was half-written is taken away.
 * @param script the file that Node was started with
 */
export async function runGuarded(script: string, args: readonly string[], io: CliIo): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...modelProcessFlags, script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...modelProcessEnv, ...process.env, [childMark]: '1' },
  });
  let unfinished: readonly string[] = [];
  child.on('message', (message: Unfinished) => {
    unfinished = message.unfinished;
  });
  // A terminal sends Ctrl-C to both; this process stays until the other one has cleaned up.
  const stay = (): void => {};
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', stay);
  process.on('SIGTERM', forward);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (...how) => resolve(how));
    });
    if (code !== null && code <= largestExitCode) return code;
    for (const path of unfinished) rmSync(path, { recursive: true, force: true });
    return await printError(io, crashError(signal ?? `code ${code}`), args.includes('--json'));
  } finally {
    process.off('SIGINT', stay);
    process.off('SIGTERM', forward);
  }
}

function crashError(how: string): WhittleError {
  if (how === 'SIGINT' || how === 'SIGTERM') return new WhittleError('job.cancelled', 'Cancelled.');
  const hint =
    how === 'SIGKILL'
      ? 'The system may have been out of memory: close other programs, or take fewer samples.'
      : 'The model makes its runtime crash. Try another engine, format or precision.';
  return new WhittleError('job.crashed', `The process that ran the model ended unexpectedly (${how}).`, {
    hint,
  });
}

/** In the guarded process: tells the other one what to take away after a crash, and ends when that one is gone. */
export async function reportToGuard(): Promise<void> {
  if (process.env[childMark] === undefined || !process.send) return;
  const { onUnfinished, removeUnfinished } = await import('../studio/safe-files.ts');
  onUnfinished((unfinished) => process.connected && process.send?.({ unfinished } satisfies Unfinished));
  process.on('disconnect', () => {
    removeUnfinished();
    process.exit(exitCodes.cancelled);
  });
}
