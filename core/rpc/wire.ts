/** A two-way message pipe: a worker, a child process, a WebSocket, Electron IPC. Messages are structured-cloneable. */
export interface Wire {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: (reason: string) => void): void;
}
