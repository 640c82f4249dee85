import { cp, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { WhittleError } from '../contract/errors.ts';
import { findSample } from './places.ts';

/** Where the things lie that users name by a ref. */
export interface RefPlaces {
  /** The folder of streamed uploads, one sub-folder per id; plain paths are refused when it is given. */
  readonly uploads?: string;
}

export interface ResolvedRef {
  readonly path: string;
  /** The upload that it belongs to, which is the project's to keep. */
  readonly upload?: { readonly folder: string };
}

const uploadPattern = /^upload:([A-Za-z0-9-]{1,64})(?:\/(.+))?$/;

/**
 * The file or folder that a ref stands for: a path on the desktop, `upload:ID` or `upload:ID/inner/path` in the
 * browser, `sample:NAME` for what is bundled.
 * @throws WhittleError `usage` for a plain path in the browser, `file.not-found` for what is not there.
 */
export async function resolveRef(ref: string, places: RefPlaces): Promise<ResolvedRef> {
  if (ref.startsWith('sample:')) {
    const name = ref.slice('sample:'.length);
    const path = /^[a-z0-9-]+$/.test(name) ? findSample(name) : undefined;
    if (path) return { path };
    throw new WhittleError('file.not-found', `There is no bundled sample ${name}.`);
  }
  if (places.uploads === undefined) {
    if (!isAbsolute(ref)) throw new WhittleError('usage', `${ref} is not an absolute path.`);
    await mustExist(ref);
    return { path: ref };
  }
  const [, id, inner] = uploadPattern.exec(ref) ?? [];
  if (!id) {
    throw new WhittleError('usage', 'Files are given by uploading them; paths are not taken here.', {
      hint: 'Drop the file onto the page.',
    });
  }
  const folder = join(places.uploads, id);
  if (inner !== undefined) {
    const path = resolve(folder, inner);
    if (!isInside(folder, path)) throw new WhittleError('usage', `${ref} leads out of its upload.`);
    await mustExist(path);
    return { path, upload: { folder } };
  }
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.length === 0) throw new WhittleError('file.not-found', `There is no upload ${id}.`);
  return { path: names.length === 1 ? join(folder, names[0]) : folder, upload: { folder } };
}

/** Whether a path lies inside a folder, and is not the folder itself. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Moves an upload into a folder of the project. @returns where the ref's own file lies now. */
export async function keepUpload(ref: ResolvedRef, target: string): Promise<string> {
  if (!ref.upload) return ref.path;
  const kept = join(target, basename(ref.upload.folder));
  await mkdir(target, { recursive: true });
  try {
    await rename(ref.upload.folder, kept);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await cp(ref.upload.folder, kept, { recursive: true });
  }
  return join(kept, relative(ref.upload.folder, ref.path));
}

async function mustExist(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    throw new WhittleError('file.not-found', `There is no file ${path}.`, { cause: error });
  }
}
