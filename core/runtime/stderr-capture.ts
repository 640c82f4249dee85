import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Koffi } from './c-library.ts';

/** Runs `action` and returns what native code wrote to stderr meanwhile; empty where that cannot be had. */
export type WithStderr = <T>(action: () => T) => { result: T; lines: string[] };

/** LiteRT's own lines, and those of absl's log (`I0000 …`), which its GPU accelerator writes. */
const runtimeLine = /^((INFO|WARNING|ERROR|VERBOSE|DEBUG)\b|[IWEF]\d{4} )/;
const patienceMs = 2000;

/**
 * Points the process' stderr at a file for the length of a call, with the C library's own `dup`. Threads share stderr:
 * one that finds it pointed away waits, and lines that are not the runtime's are written to where they were meant to go.
 */
export function stderrCapture(c: ReturnType<Koffi['load']>): WithStderr {
  if (process.platform === 'win32') return (action) => ({ result: action(), lines: [] });
  const dup = c.func('dup', 'int', ['int']) as (fd: number) => number;
  const dup2 = c.func('dup2', 'int', ['int', 'int']) as (from: number, to: number) => number;
  const close = c.func('close', 'int', ['int']) as (fd: number) => number;

  /** A duplicate of stderr as it is when nobody captures: a capture is a file that has no name any more. */
  function saveStderr(): number {
    const start = performance.now();
    for (;;) {
      const saved = dup(2);
      if (saved < 0) return saved;
      const { nlink } = fstatSync(saved);
      // A thread that was ended while it captured never comes back; then its file is as good as any.
      if (nlink > 0 || performance.now() - start > patienceMs) return saved;
      close(saved);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }

  return (action) => {
    const capture = openCapture();
    const saved = capture === undefined ? -1 : saveStderr();
    if (capture === undefined || saved < 0) return { result: action(), lines: [] };
    try {
      dup2(capture, 2);
      let result: ReturnType<typeof action>;
      try {
        result = action();
      } finally {
        dup2(saved, 2);
        close(saved);
      }
      return { result, lines: runtimeLines(capture) };
    } finally {
      closeSync(capture);
    }
  };
}

function openCapture(): number | undefined {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'whittle-'));
    try {
      return openSync(join(folder, 'stderr'), 'w+');
    } finally {
      rmSync(folder, { recursive: true });
    }
  } catch {
    // Without a place to write, the words stay on stderr and the model still opens.
    return undefined;
  }
}

function runtimeLines(capture: number): string[] {
  const text = Buffer.alloc(fstatSync(capture).size);
  if (text.length > 0) readSync(capture, text, 0, text.length, 0);
  const lines: string[] = [];
  for (const line of text.toString('utf8').split('\n')) {
    if (runtimeLine.test(line)) lines.push(line);
    else if (line.trim() !== '') writeSync(2, `${line}\n`);
  }
  return lines;
}
