/** Stops listening. */
export type Unsubscribe = () => void;

/**
 * Two-way, ordered, message-based. Messages are plain JSON data. What preload exposes in the desktop window, a
 * WebSocket in the browser, a child's IPC channel and a worker's port all have this shape.
 */
export interface Wire {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): Unsubscribe;
  /** Called once, when the other side is gone for good. */
  onClose(listener: () => void): Unsubscribe;
  close?(): void;
}

/** A set of listeners; a listener that leaves while others are being told is not told. */
export class Listeners<T> {
  private readonly listeners = new Set<(value: T) => void>();

  add(listener: (value: T) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(value: T): void {
    for (const listener of [...this.listeners]) if (this.listeners.has(listener)) listener(value);
  }

  get size(): number {
    return this.listeners.size;
  }
}
