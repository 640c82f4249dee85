import type { Wire } from './wire.ts';

/** What is used of a WebSocket; the browser's own and the `ws` package's both have it. */
export interface SocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  removeEventListener(type: 'open' | 'close', listener: () => void): void;
  removeEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

const connecting = 0;
const open = 1;

/** Messages as JSON text over a WebSocket. What is posted before the socket opens is sent when it does. */
export function createWebSocketWire(socket: SocketLike): Wire {
  const waiting: string[] = [];
  if (socket.readyState === connecting) {
    const flush = (): void => {
      for (const text of waiting.splice(0)) socket.send(text);
    };
    socket.addEventListener('open', flush);
  }
  return {
    post(message) {
      const text = JSON.stringify(message);
      if (socket.readyState === connecting) waiting.push(text);
      else if (socket.readyState === open) socket.send(text);
    },
    onMessage(listener) {
      const handle = (event: { data: unknown }): void => {
        if (typeof event.data !== 'string') return;
        let message: unknown;
        try {
          message = JSON.parse(event.data);
        } catch {
          return;
        }
        listener(message);
      };
      socket.addEventListener('message', handle);
      return () => socket.removeEventListener('message', handle);
    },
    onClose(listener) {
      socket.addEventListener('close', listener);
      return () => socket.removeEventListener('close', listener);
    },
    close: () => socket.close(),
  };
}
