import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Looks for a file or folder in the folder of this code and in those above it: the same whether the code runs from its
 * sources, from the build, or from a packaged application.
 */
export function findUpward(name: string, accept: (path: string) => boolean = () => true): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  const { root } = parse(folder);
  for (;;) {
    const path = join(folder, name);
    if (existsSync(path) && accept(path)) return path;
    if (folder === root) return undefined;
    folder = dirname(folder);
  }
}

/** The folder of a bundled sample project. */
export function findSample(name: string): string | undefined {
  return findUpward(join('assets', 'samples', name));
}

/** The built studio page, when there is one. */
export function findRenderer(): string | undefined {
  const index = findUpward(join('dist', 'renderer', 'index.html'));
  return index && dirname(index);
}

/** Where projects are kept: `WHITTLE_HOME`, else the data folder of the operating system. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WHITTLE_HOME) return env.WHITTLE_HOME;
  const home = homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'Whittle');
  if (process.platform === 'win32') return join(env.APPDATA ?? join(home, 'AppData', 'Roaming'), 'Whittle');
  return join(env.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'whittle');
}
