import type { Wire } from './wire.ts';

/** A Node-style message port: a `Worker`, a worker's `parentPort`, or a `MessagePort`. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close' | 'exit', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'close' | 'exit', listener: () => void): unknown;
}

/** A wire over a worker's port. `closeEvent` is `exit` for a `Worker` and `close` for a `MessagePort`. */
export function createPortWire(port: PortLike, closeEvent: 'close' | 'exit' = 'close'): Wire {
  return {
    post: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on('message', listener);
      return () => port.off('message', listener);
    },
    onClose(listener) {
      port.on(closeEvent, listener);
      return () => port.off(closeEvent, listener);
    },
  };
}
