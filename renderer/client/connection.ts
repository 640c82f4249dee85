import type { CallName, CallParams, CallResult, EventData, EventName } from '../../core/contract/api.ts';
import { WhittleError } from '../../core/contract/errors.ts';
import { type Client, createClient } from '../../core/rpc/client.ts';
import type { Wire } from '../../core/rpc/wire.ts';

export type ConnectionState = 'connecting' | 'ready' | 'lost';

export interface ConnectionListeners {
  /** `lost` carries the reason; `ready` comes after each successful `app.info`, the first and after a loss. */
  onState(state: ConnectionState, reason?: string): void;
  onEvent<K extends EventName>(name: K, data: EventData<K>): void;
}

export interface Connection {
  call<K extends CallName>(name: K, params: CallParams<K>): Promise<CallResult<K>>;
  /** Tries again at once instead of waiting for the next attempt. */
  retry(): void;
}

const eventNames: readonly EventName[] = ['progress', 'artifact', 'profile', 'project', 'log'];
const retryDelaysMs = [200, 500, 1000, 2000, 4000];

/**
 * Keeps a client of the core alive: when the wire closes or the core starts anew, says so, connects again with growing
 * pauses, and goes on delivering events to the same listeners.
 */
export function createConnection(connect: () => Wire, listeners: ConnectionListeners): Connection {
  let client: Client | undefined;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const lose = (lost: Client, reason: string): void => {
    if (client !== lost) return;
    client = undefined;
    lost.close();
    listeners.onState('lost', reason);
    timer = setTimeout(open, retryDelaysMs[Math.min(attempt, retryDelaysMs.length - 1)]);
    attempt += 1;
  };

  const greet = (current: Client): void => {
    current.call('app.info', {}).then(
      () => {
        if (client !== current) return;
        attempt = 0;
        listeners.onState('ready');
      },
      (error: Error) => lose(current, error.message),
    );
  };

  const open = (): void => {
    clearTimeout(timer);
    if (client) return;
    listeners.onState('connecting');
    const current = createClient(connect());
    client = current;
    for (const name of eventNames) current.on(name, (data) => listeners.onEvent(name, data));
    current.onReset((error) => {
      listeners.onState('lost', error.message);
      greet(current);
    });
    current.onClose(() => lose(current, 'The connection to the core was lost.'));
    greet(current);
  };

  open();
  return {
    call(name, params) {
      if (client) return client.call(name, params);
      return Promise.reject(
        new WhittleError('job.crashed', 'The core is not connected.', {
          hint: 'Whittle is connecting again; try once more in a moment.',
        }),
      );
    },
    retry: open,
  };
}
