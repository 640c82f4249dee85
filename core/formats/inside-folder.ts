/** Files that a model names and that must lie beside it: a model is data from strangers. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/**
 * The path and size of a file named by a model, links followed.
 * @throws Error, as the end of a sentence, when it is not a file inside the folder.
 */
export async function fileInside(folder: string, location: string): Promise<{ path: string; size: number }> {
  if (isAbsolute(location) || /^[a-z][a-z0-9+.-]*:/i.test(location) || location.startsWith('\\')) {
    throw new Error(
      `the location ${location} is an absolute path; only files in the model's folder are read`,
    );
  }
  if (location.split(/[\\/]/).includes('..')) {
    throw new Error(`the location ${location} leaves the model's folder`);
  }
  const root = await realpath(folder);
  const path = await realpath(join(root, location)).catch(() => {
    throw new Error(`there is no file ${location} beside the model`);
  });
  const inside = relative(root, path);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new Error(`${location} is a link that leaves the model's folder`);
  }
  const info = await stat(path);
  if (!info.isFile()) throw new Error(`${location} is not a file`);
  return { path, size: info.size };
}
