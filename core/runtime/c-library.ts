import type koffi from 'koffi';
import { stderrCapture, type WithStderr } from './stderr-capture.ts';

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
  readonly withStderr: WithStderr;
}

export function openCLibrary(ffi: Koffi): CLibrary {
  const name =
    { win32: 'msvcrt.dll', darwin: 'libSystem.B.dylib' }[process.platform as string] ?? 'libc.so.6';
  const c = ffi.load(name);
  const memcpy = c.func('memcpy', 'void *', ['void *', 'void *', 'size_t']);
  const malloc = c.func('malloc', 'void *', ['size_t']);
  const free = c.func('free', 'void', ['void *']);
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
    withStderr: stderrCapture(c),
  };
}
