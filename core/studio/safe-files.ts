import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, copyFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WhittleError } from '../contract/errors.ts';

/** Files being written right now, so that a process that must end at once can take them away. */
const unfinished = new Set<string>();

let tellUnfinished: (paths: string[]) => void = () => {};

/** Calls `listener` whenever the set of half-written files changes, for another process that cleans up after a crash. */
export function onUnfinished(listener: (paths: string[]) => void): void {
  tellUnfinished = listener;
}

/** Removes what is half-written; for the last moment of a process. */
export function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
  unfinished.clear();
}

export interface WriteOptions {
  /** Replace a file that is there; otherwise that is refused. Default true. */
  overwrite?: boolean;
}

/**
 * Writes a file aside and renames it: at no moment is there a half-written file under its name, and none is left
 * beside it. Missing folders are made.
 * @throws WhittleError `file.exists`, `file.no-space`, or `file.unreadable` for any other refusal of the system.
 */
export async function writeFileAside(
  path: string,
  content: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  await putAside(path, options, async (aside) => {
    const file = await open(aside, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/**
 * Writes a file aside, lets `check` look at it there, and gives it its name only when `check` has returned.
 * @param make gives the content in parts, each of which is written before the next is asked for
 * @returns what `check` returned. @throws as `writeFileAside`, and what `make` and `check` throw; no file is left then.
 */
export async function writeFileChecked<T>(
  path: string,
  make: () => Iterable<Uint8Array>,
  check: (asidePath: string) => Promise<T>,
  options: WriteOptions = {},
): Promise<T> {
  let checked: T | undefined;
  await putAside(path, options, async (aside) => {
    await writeFile(aside, make(), { flag: 'wx' });
    try {
      checked = await check(aside);
    } catch (error) {
      throw new CheckFailed('checking failed', { cause: error });
    }
  });
  return checked as T;
}

/** What a check threw, so that it is not taken for a refusal of the file system. */
class CheckFailed extends Error {}

/** Copies a file aside and renames it, with the same promises. */
export async function copyFileAside(from: string, to: string, options: WriteOptions = {}): Promise<void> {
  await putAside(to, options, (aside) => copyFile(from, aside));
}

async function putAside(
  path: string,
  options: WriteOptions,
  write: (aside: string) => Promise<void>,
): Promise<void> {
  if (options.overwrite === false) await refuseExisting([path]);
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
  unfinished.add(aside);
  tellUnfinished([...unfinished]);
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(aside);
    await rename(aside, path);
  } catch (error) {
    // Where not even this can be done, the first error is the one to tell.
    await rm(aside, { force: true }).catch(() => {});
    if (error instanceof CheckFailed) throw error.cause;
    throw writeError(path, error);
  } finally {
    unfinished.delete(aside);
    tellUnfinished([...unfinished]);
  }
}

/** @throws WhittleError `file.exists` naming every one of the paths that is there already. */
export async function refuseExisting(paths: readonly string[]): Promise<void> {
  const there = await Promise.all(paths.map(exists));
  const taken = paths.filter((_path, i) => there[i]);
  if (taken.length === 0) return;
  throw new WhittleError(
    'file.exists',
    `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already.`,
    {
      hint: 'Choose another place, or ask for it to be replaced (--force).',
    },
  );
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A system's refusal to write, as an error that names the file and what to do. */
export function writeError(path: string, error: unknown): WhittleError {
  if (error instanceof WhittleError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WhittleError('file.no-space', `There is no space left to write ${path}.`, {
      hint: 'Free some space, or choose another disk; nothing half-written was left.',
      cause: error,
    });
  }
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission is missing',
    EPERM: 'permission is missing',
    EROFS: 'the disk is read-only',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a part of the path is a file',
    EISDIR: 'it is a folder',
    ENOTEMPTY: 'it is a folder',
    ENAMETOOLONG: 'the name is too long',
    EFBIG: 'the file is larger than the system allows',
  };
  const reason = (code && reasons[code]) ?? (error as Error).message;
  return new WhittleError('file.unreadable', `${path} cannot be written: ${reason}.`, { cause: error });
}

/** Reads a JSON file that this project wrote. @returns undefined when it is not there or not readable as JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
