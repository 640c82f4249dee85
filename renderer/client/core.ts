import type { CallName, CallParams, CallResult } from '../../core/contract/api.ts';
import { type Connection, type ConnectionListeners, createConnection } from './connection.ts';
import { createDesktopShell } from './desktop-shell.ts';
import type { Shell } from './shell.ts';
import { createWebShell } from './web-shell.ts';

let currentShell: Shell | undefined;
let connection: Connection | undefined;

/** The shell this page runs in: the desktop window where the preload's bridge is there, else a browser. */
export function shell(): Shell {
  currentShell ??= window.whittle ? createDesktopShell(window.whittle) : createWebShell();
  return currentShell;
}

/** Connects to the core; called once, when the studio starts. */
export function startCore(listeners: ConnectionListeners): void {
  connection = createConnection(() => shell().connect(), listeners);
}

/**
 * Calls the core.
 * @throws WhittleError what the core threw; `job.crashed` when it was lost meanwhile.
 */
export function call<K extends CallName>(name: K, params: CallParams<K>): Promise<CallResult<K>> {
  if (!connection) throw new Error('startCore() was not called');
  return connection.call(name, params);
}

export function reconnect(): void {
  connection?.retry();
}
