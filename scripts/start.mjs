// `npm start`: installs what is missing, builds, and opens the studio: in its own window, or in the browser where
// there is no display or no Electron.

import { fetchElectron } from './electron-binary.mjs';
import { ensureBuilt, ensureInstalled, run } from './setup.mjs';

await ensureInstalled();
await ensureBuilt();

const args = process.argv.slice(2);
const hasDisplay = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;

function whyNoWindow() {
  if (args.includes('--browser')) return { reason: 'asked for with --browser' };
  if (!hasDisplay) return { reason: 'this machine has no display' };
  const electron = fetchElectron(60_000);
  if (!electron.binary) return { reason: `Electron's binary could not be fetched (${electron.reason})` };
  return electron;
}

const window = whyNoWindow();
if (window.binary) {
  const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  process.exit(await run(window.binary, [...sandbox, '.', ...args]));
}
console.error(`Opening the studio in the browser: ${window.reason}.`);
process.exit(await run('node', ['dist/core/cli.js', 'serve', ...args.filter((arg) => arg !== '--browser')]));
