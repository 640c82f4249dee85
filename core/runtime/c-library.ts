import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type koffi from 'koffi';

export type Koffi = typeof koffi;
/** An address in this process; 0n is the null pointer. */
export type Pointer = bigint;

/** The few functions of the C library that talking to a native runtime needs. */
export interface CLibrary {
  /** Copies `size` bytes; either side is an address or a typed array. */
  copy(target: Pointer | ArrayBufferView, source: Pointer | ArrayBufferView, size: number): void;
  allocate(size: number): Pointer;
  free(address: Pointer): void;
  /** Address of `free` itself, for C interfaces that take a deleter. */
  readonly freeAddress: Pointer;
  /** Runs `action` and returns what native code wrote to stderr meanwhile; empty where stderr cannot be redirected. */
  withStderr<T>(action: () => T): { result: T; lines: string[] };
}

const runtimeLine = /^(INFO|WARNING|ERROR|VERBOSE|DEBUG|W0000|I0000|E0000)\b/;

export function openCLibrary(ffi: Koffi): CLibrary {
  const name =
    { win32: 'msvcrt.dll', darwin: 'libSystem.B.dylib' }[process.platform as string] ?? 'libc.so.6';
  const c = ffi.load(name);
  const memcpy = c.func('memcpy', 'void *', ['void *', 'void *', 'size_t']);
  const malloc = c.func('malloc', 'void *', ['size_t']);
  const free = c.func('free', 'void', ['void *']);
  const posix = process.platform !== 'win32';
  const dup = posix ? c.func('dup', 'int', ['int']) : undefined;
  const dup2 = posix ? c.func('dup2', 'int', ['int', 'int']) : undefined;
  const close = posix ? c.func('close', 'int', ['int']) : undefined;

  function withStderr<T>(action: () => T): { result: T; lines: string[] } {
    if (!dup || !dup2 || !close) return { result: action(), lines: [] };
    const folder = mkdtempSync(join(tmpdir(), 'whittle-'));
    const capture = openSync(join(folder, 'stderr'), 'w+');
    rmSync(folder, { recursive: true });
    const saved = dup(2) as number;
    dup2(capture, 2);
    let result: T;
    try {
      result = action();
    } finally {
      dup2(saved, 2);
      close(saved);
    }
    const text = Buffer.alloc(fstatSync(capture).size);
    if (text.length > 0) readSync(capture, text, 0, text.length, 0);
    closeSync(capture);
    const lines: string[] = [];
    for (const line of text.toString('utf8').split('\n')) {
      if (runtimeLine.test(line)) lines.push(line);
      // Other threads write to stderr too; what is not the runtime's goes where it was meant to go.
      else if (line.trim() !== '') writeSync(2, `${line}\n`);
    }
    return { result, lines };
  }

  return {
    copy: (target, source, size) => {
      memcpy(target, source, size);
    },
    allocate: (size) => {
      const address = malloc(size) as Pointer | null;
      if (!address) throw new RangeError(`no memory for ${size} bytes`);
      return address;
    },
    free: (address) => {
      free(address);
    },
    freeAddress: c.symbol('free') as Pointer,
    withStderr,
  };
}
