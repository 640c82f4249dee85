import { existsSync } from 'node:fs';

/**
 * The entry file of another part of the core: `dist/core/NAME.js` once built (this code may then lie in a chunk one
 * folder down), `core/host/NAME.ts` when run from the sources.
 * @throws Error when there is none.
 */
export function siblingEntry(name: 'core-process' | 'job-worker'): URL {
  const candidates = import.meta.url.endsWith('.ts') ? [`./${name}.ts`] : [`./${name}.js`, `../${name}.js`];
  for (const candidate of candidates) {
    const url = new URL(candidate, import.meta.url);
    if (existsSync(url)) return url;
  }
  throw new Error(`${name} is missing beside ${import.meta.url}`);
}
