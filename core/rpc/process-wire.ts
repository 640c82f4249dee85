import type { Wire } from './wire.ts';

/** The side of a child process that speaks to its parent: Node's IPC channel, or Electron's utility process port. */
interface ChildSide {
  send?(message: unknown): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'disconnect', listener: () => void): unknown;
  parentPort?: {
    postMessage(message: unknown): void;
    on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
    off(event: 'message', listener: (event: { data: unknown }) => void): unknown;
  };
}

/**
 * The wire from this child process to its parent.
 * @throws Error when the process was started without a channel.
 */
export function createParentWire(self: ChildSide): Wire {
  const port = self.parentPort;
  if (port) {
    return {
      post: (message) => port.postMessage(message),
      onMessage(listener) {
        const handle = (event: { data: unknown }): void => listener(event.data);
        port.on('message', handle);
        return () => port.off('message', handle);
      },
      onClose: () => () => {},
    };
  }
  if (!self.send) throw new Error('this process was started without a channel to its parent');
  return {
    post: (message) => void self.send?.(message),
    onMessage(listener) {
      self.on('message', listener);
      return () => self.off('message', listener);
    },
    onClose(listener) {
      self.on('disconnect', listener);
      return () => self.off('disconnect', listener);
    },
  };
}
