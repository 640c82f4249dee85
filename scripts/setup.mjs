// What every script needs before it starts: packages installed, Node 24 first on the PATH, a fresh build.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');

/** The environment for everything we start: the project's own Node and tools come first. */
export const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };

/** Runs a command in the project with its output shown. @returns the exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: 'inherit',
      shell: process.platform === 'win32',
      ...options,
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** Runs a command quietly. */
export function capture(command, args, options = {}) {
  return spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    ...options,
  });
}

/** Installs packages when they are missing or the lock file is newer than the last install. */
export async function ensureInstalled() {
  const mark = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('Installing packages (once)…');
  // onnxruntime's install step would fetch CUDA libraries, which are an extra that a user asks for.
  const code = await run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    env: { ...env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  if (code !== 0) {
    console.error('npm ci failed; see the lines above.');
    process.exit(code);
  }
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds when a source is newer than the last build. */
export async function ensureBuilt() {
  const built = join(root, 'dist', 'core', 'cli.js');
  const sources = ['core', 'electron', 'renderer', 'scripts/build.mjs', 'package.json'];
  if (existsSync(built)) {
    const builtAt = statSync(built).mtimeMs;
    if (sources.every((source) => newest(join(root, source)) < builtAt)) return;
  }
  console.error('Building…');
  const code = await run('node', ['scripts/build.mjs']);
  if (code !== 0) process.exit(code);
}
