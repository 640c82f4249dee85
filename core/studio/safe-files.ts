import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import { writeError } from '../ir/write-error.ts';

// For the hosts, which write files too and do not reach below the studio.
export { writeError };

/** Files being written right now, so that a process that must end at once can take them away. */
const unfinished = new Set<string>();

let tellUnfinished: (paths: string[]) => void = () => {};

/** Calls `listener` whenever the set of half-written files changes, for another process that cleans up after a crash. */
export function onUnfinished(listener: (paths: string[]) => void): void {
  tellUnfinished = listener;
}

/** Removes what is half-written; for the last moment of a process. */
export function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
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
    await rename(aside, path);
  });
}

/**
 * Writes a file, and what belongs beside it, into a folder aside; lets `check` look at it there, and gives all of it
 * its place only when `check` has returned. The file itself comes last: where it is, all that belongs to it is.
 * @param write puts the file under the path that it is given, and others beside it
 * @returns what `check` returned. @throws as `writeFileAside`, and what `write` and `check` throw; no file is left then.
 */
export async function writeFileChecked<T>(
  path: string,
  write: (asidePath: string) => Promise<void>,
  check: (asidePath: string) => Promise<T>,
  options: WriteOptions = {},
): Promise<T> {
  let checked: T | undefined;
  await putAside(path, options, async (aside) => {
    await mkdir(aside);
    const asidePath = join(aside, basename(path));
    await write(asidePath);
    try {
      checked = await check(asidePath);
    } catch (error) {
      throw new CheckFailed('checking failed', { cause: error });
    }
    await moveBeside(aside, path, options);
  });
  return checked as T;
}

/** Moves the files of a folder beside `path`, the one of its name last. */
async function moveBeside(folder: string, path: string, options: WriteOptions): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== basename(path));
  const placeOf = (name: string) => join(dirname(path), name);
  if (options.overwrite === false) await refuseExisting(others.map(placeOf));
  // Between two renames, no file may stand beside what belongs to another.
  if (others.length > 0) await rm(path, { force: true });
  for (const name of others) await rename(join(folder, name), placeOf(name));
  await rename(join(folder, basename(path)), path);
}

/** What a check threw, so that it is not taken for a refusal of the file system. */
class CheckFailed extends Error {}

/** Copies a file aside and renames it, with the same promises. */
export async function copyFileAside(from: string, to: string, options: WriteOptions = {}): Promise<void> {
  await putAside(to, options, async (aside) => {
    await copyFile(from, aside);
    await rename(aside, to);
  });
}

/** Lets `place` make something under a name aside and move it to `path`. Nothing is left aside, whatever happens. */
async function putAside(
  path: string,
  options: WriteOptions,
  place: (aside: string) => Promise<void>,
): Promise<void> {
  if (options.overwrite === false) await refuseExisting([path]);
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
  unfinished.add(aside);
  tellUnfinished([...unfinished]);
  try {
    await mkdir(dirname(path), { recursive: true });
    await place(aside);
  } catch (error) {
    if (error instanceof CheckFailed) throw error.cause;
    throw writeError(path, error);
  } finally {
    // Where not even this can be done, the first error is the one to tell.
    await rm(aside, { recursive: true, force: true }).catch(() => {});
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

/** Reads a JSON file that this project wrote. @returns undefined when it is not there or not readable as JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
