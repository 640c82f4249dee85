import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { WhittleError } from '../contract/errors.ts';
import { readWhole } from '../ir/read-file.ts';
import { wordsOf } from './failure.ts';

/** The bytes of a model. @throws WhittleError `file.not-found` or `file.unreadable` with the path. */
export async function modelBytes(model: Uint8Array | string, runtime: string): Promise<Uint8Array> {
  if (typeof model !== 'string') return model;
  return reading(model, runtime, () => readWhole(model));
}

/** Size of a model's file in bytes. @throws as `modelBytes` */
export async function modelSize(model: Uint8Array | string, runtime: string): Promise<number> {
  if (typeof model !== 'string') return model.byteLength;
  return reading(model, runtime, async () => (await stat(model)).size);
}

/** Fills `place` with a model of that size, at once: the place may be memory that moves. @throws as `modelBytes` */
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
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new WhittleError(
      missing ? 'file.not-found' : 'file.unreadable',
      missing ? `there is no file ${model}` : `${runtime} could not read ${model}: ${wordsOf(cause)}`,
      { cause },
    );
  }
}
