import { type ChildProcess, fork } from 'node:child_process';
import type { CoreChild } from '../rpc/supervisor.ts';
import { Listeners } from '../rpc/wire.ts';

export interface ForkOptions {
  /** The Node executable; default this process's own. */
  execPath?: string;
  script: string;
  env: NodeJS.ProcessEnv;
}

const killAfterMs = 2000;

/** A core as a child process of Node, spoken to over its IPC channel. */
export function forkCore(options: ForkOptions): CoreChild {
  const child: ChildProcess = fork(options.script, [], {
    execPath: options.execPath,
    env: options.env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exits = new Listeners<string>();
  let ended = false;
  const end = (how: string): void => {
    if (ended) return;
    ended = true;
    exits.tell(how);
  };
  child.on('exit', (code, signal) => end(signal ? `signal ${signal}` : `code ${code}`));
  child.on('error', (error) => end(error.message));
  return {
    post: (message) => {
      // A core that dies meanwhile is told by its exit.
      if (child.connected) child.send(message as object, () => {});
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void exits.add(listener),
    stop: () =>
      new Promise((resolve) => {
        if (ended) return resolve();
        const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
        exits.add(() => {
          clearTimeout(timer);
          resolve();
        });
        child.kill('SIGTERM');
      }),
  };
}
