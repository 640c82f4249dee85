import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { WhittleError } from '../contract/errors.ts';
import { wordsOf } from './failure.ts';
import type { ByteView } from './flatbuffer.ts';
import { PagedFile } from './paged-file.ts';

/**
 * Looks into a model, of which a file is read only where it is looked at.
 * @throws WhittleError `file.not-found` or `file.unreadable` with the path, and what `look` throws of that kind
 */
export async function lookInto<T>(
  model: Uint8Array | string,
  runtime: string,
  look: (model: Uint8Array | ByteView) => T,
): Promise<T> {
  if (typeof model !== 'string') return look(model);
  return reading(model, runtime, async () => {
    const file = new PagedFile(model);
    try {
      return look(file);
    } finally {
      file.close();
    }
  });
}

/** Size of a model's file in bytes. @throws as `lookInto` */
export async function modelSize(model: Uint8Array | string, runtime: string): Promise<number> {
  if (typeof model !== 'string') return model.byteLength;
  return reading(model, runtime, async () => (await stat(model)).size);
}

/** Fills `place` with a model of that size, at once: the place may be memory that moves. @throws as `lookInto` */
export async function readModelInto(
  place: Uint8Array,
  model: Uint8Array | string,
  runtime: string,
): Promise<void> {
  if (typeof model !== 'string') {
    place.set(model);
    return;
  }
  await reading(model, runtime, async () => {
    const file = openSync(model, 'r');
    try {
      for (let at = 0; at < place.byteLength; ) {
        const count = readSync(file, place, at, place.byteLength - at, at);
        if (count === 0) throw new Error('it became shorter while it was read');
        at += count;
      }
    } finally {
      closeSync(file);
    }
  });
}

async function reading<T>(model: string, runtime: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof WhittleError) throw cause;
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new WhittleError(
      missing ? 'file.not-found' : 'file.unreadable',
      missing ? `there is no file ${model}` : `${runtime} could not read ${model}: ${wordsOf(cause)}`,
      { cause },
    );
  }
}
