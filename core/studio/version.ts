import { readFileSync } from 'node:fs';
import { findUpward } from './places.ts';

let known: string | undefined;

/** The product's version: set by the build, else read from package.json. */
export function whittleVersion(): string {
  known ??= process.env.WHITTLE_VERSION ?? versionOfPackage();
  return known;
}

function versionOfPackage(): string {
  const path = findUpward('package.json', (candidate) => readPackage(candidate).name === 'whittle');
  return path ? readPackage(path).version : 'unknown';
}

function readPackage(path: string): { name?: string; version: string } {
  return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version: string };
}
