import { utilityProcess } from 'electron';
import type { CoreChild } from '../../core/rpc/supervisor.ts';
import { Listeners } from '../../core/rpc/wire.ts';

const killAfterMs = 2000;

/**
 * The core as a utility process of Electron.
 * @param script absolute path of the core's bundle; inside a packaged app its unpacked twin is run, because the core
 * loads native code and starts workers from real files.
 */
export function utilityCore(script: string): CoreChild {
  const child = utilityProcess.fork(script.replace('app.asar', 'app.asar.unpacked'), [], {
    serviceName: 'Whittle core',
    stdio: 'inherit',
    env: { ...process.env, WHITTLE_RESOURCES: process.resourcesPath, WHITTLE_SHELL: 'desktop' },
  });
  const exits = new Listeners<string>();
  let waiting: unknown[] | undefined = [];
  let ended = false;
  child.on('spawn', () => {
    for (const message of waiting ?? []) child.postMessage(message);
    waiting = undefined;
  });
  child.on('exit', (code) => {
    ended = true;
    exits.tell(`code ${code}`);
  });
  return {
    // What is posted while the process starts waits for it.
    post: (message) => (waiting ? void waiting.push(message) : child.postMessage(message)),
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void exits.add(listener),
    stop: () =>
      new Promise((resolve) => {
        if (ended) return resolve();
        exits.add(() => resolve());
        child.kill();
        setTimeout(resolve, killAfterMs);
      }),
  };
}
