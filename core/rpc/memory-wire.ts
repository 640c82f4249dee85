import { Listeners, type Wire } from './wire.ts';

/** Two joined wires in one process. Messages are copied (they must be plain data) and arrive in a later turn. */
export function createWirePair(): [Wire, Wire] {
  const messages = [new Listeners<unknown>(), new Listeners<unknown>()];
  const closes = [new Listeners<void>(), new Listeners<void>()];
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    for (const listeners of closes) listeners.tell();
  };
  const end = (own: 0 | 1): Wire => ({
    post(message) {
      if (!open) return;
      const copy = JSON.parse(JSON.stringify(message));
      queueMicrotask(() => open && messages[1 - own].tell(copy));
    },
    onMessage: (listener) => messages[own].add(listener),
    onClose: (listener) => closes[own].add(listener),
    close,
  });
  return [end(0), end(1)];
}
