import {
  type CallName,
  type CallParams,
  type CallResult,
  calls,
  type EventData,
  type EventName,
  events,
} from '../contract/api.ts';
import { fromErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import type { ErrorView } from '../contract/views.ts';
import { type ClientMessage, ServerMessage } from './protocol.ts';
import { Listeners, type Unsubscribe, type Wire } from './wire.ts';

export interface CallOptions {
  /** Cancels the call: the core is told, and the promise is rejected with `job.cancelled` at once. */
  signal?: AbortSignal;
}

export interface Client {
  /** @throws WhittleError what the core threw; `job.crashed` when the core or the connection was lost meanwhile. */
  call<K extends CallName>(name: K, params: CallParams<K>, options?: CallOptions): Promise<CallResult<K>>;
  on<K extends EventName>(name: K, listener: (data: EventData<K>) => void): Unsubscribe;
  /** The core crashed and is being started again: what was fetched before should be fetched again. */
  onReset(listener: (error: ErrorView) => void): Unsubscribe;
  /** The wire is gone for good. */
  onClose(listener: () => void): Unsubscribe;
  close(): void;
}

interface Pending {
  name: CallName;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The calling side of the contract over a wire. Runs in a browser, a window or Node alike. */
export function createClient(wire: Wire): Client {
  const pending = new Map<number, Pending>();
  const eventListeners = new Map<string, Listeners<unknown>>();
  const resets = new Listeners<ErrorView>();
  const closes = new Listeners<void>();
  let nextId = 1;
  let closed = false;

  const post = (message: ClientMessage): void => wire.post(message);

  const failAll = (error: WhittleError): void => {
    const all = [...pending.values()];
    pending.clear();
    for (const call of all) call.reject(error);
  };

  const handleAnswer = (id: number, answer: (call: Pending) => void): void => {
    const call = pending.get(id);
    pending.delete(id);
    if (call) answer(call);
  };

  const stopMessages = wire.onMessage((raw) => {
    const parsed = ServerMessage.safeParse(raw);
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.t === 'ok') {
      handleAnswer(message.id, (call) => {
        const result = calls[call.name].result.safeParse(message.result);
        if (result.success) call.resolve(result.data);
        else call.reject(notOfContract(`the result of ${call.name}`, result.error.message));
      });
    } else if (message.t === 'error') {
      handleAnswer(message.id, (call) => call.reject(fromErrorView(message.error)));
    } else if (message.t === 'event') {
      if (!Object.hasOwn(events, message.name)) return;
      const data = events[message.name as EventName].safeParse(message.data);
      if (data.success) eventListeners.get(message.name)?.tell(data.data);
    } else {
      failAll(fromErrorView(message.error));
      resets.tell(message.error);
    }
  });

  const handleClose = (): void => {
    if (closed) return;
    closed = true;
    failAll(lost());
    closes.tell();
  };
  const stopClose = wire.onClose(handleClose);

  return {
    call(name, params, options = {}) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(lost());
        if (options.signal?.aborted) return reject(new WhittleError('job.cancelled', 'Cancelled.'));
        const checked = calls[name].params.safeParse(params);
        if (!checked.success)
          return reject(notOfContract(`the parameters of ${name}`, checked.error.message));
        const id = nextId++;
        const abort = (): void => {
          if (!pending.delete(id)) return;
          post({ t: 'cancel', id });
          reject(new WhittleError('job.cancelled', 'Cancelled.'));
        };
        const settle = (): void => options.signal?.removeEventListener('abort', abort);
        pending.set(id, {
          name,
          resolve: (result) => {
            settle();
            resolve(result as never);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        options.signal?.addEventListener('abort', abort, { once: true });
        post({ t: 'call', id, name, params: checked.data });
      });
    },
    on(name, listener) {
      let listeners = eventListeners.get(name);
      if (!listeners) {
        listeners = new Listeners();
        eventListeners.set(name, listeners);
      }
      return listeners.add(listener as (data: unknown) => void);
    },
    onReset: (listener) => resets.add(listener),
    onClose: (listener) => closes.add(listener),
    close() {
      stopMessages();
      stopClose();
      wire.close?.();
      handleClose();
    },
  };
}

function lost(): WhittleError {
  return new WhittleError('job.crashed', 'The connection to the core was lost.', {
    hint: 'Reload the page, or start Whittle again.',
  });
}

function notOfContract(what: string, detail: string): WhittleError {
  return new WhittleError('internal', `${what} did not match the contract: ${detail}`);
}
