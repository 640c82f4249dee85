import {
  type CallName,
  calls,
  type EventData,
  type EventName,
  events,
  type Handlers,
} from '../contract/api.ts';
import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import { ClientMessage, type ServerMessage } from './protocol.ts';
import type { Unsubscribe, Wire } from './wire.ts';

export interface Server {
  /** Serves one more client until its wire closes or the returned function is called. */
  attach(wire: Wire): Unsubscribe;
  /** Sends an event to every client. Data that does not match the contract is an error here, not at the client. */
  emit<K extends EventName>(name: K, data: EventData<K>): void;
}

/** The answering side of the contract. Each call is parsed, run with its own signal, and its result parsed again. */
export function createServer(handlers: Handlers): Server {
  const clients = new Set<Wire>();

  return {
    attach(wire) {
      const running = new Map<number, AbortController>();
      const post = (message: ServerMessage): void => {
        if (clients.has(wire)) wire.post(message);
      };
      const answer = async (id: number, name: string, params: unknown): Promise<void> => {
        const controller = new AbortController();
        running.set(id, controller);
        try {
          const result = await dispatch(handlers, name, params, controller.signal);
          post({ t: 'ok', id, result });
        } catch (error) {
          post({ t: 'error', id, error: toErrorView(error) });
        } finally {
          running.delete(id);
        }
      };
      clients.add(wire);
      const stopMessages = wire.onMessage((raw) => {
        const parsed = ClientMessage.safeParse(raw);
        if (!parsed.success) return;
        const message = parsed.data;
        if (message.t === 'cancel') running.get(message.id)?.abort();
        else void answer(message.id, message.name, message.params);
      });
      const detach = (): void => {
        if (!clients.delete(wire)) return;
        stopMessages();
        stopClose();
        for (const controller of running.values()) controller.abort();
      };
      const stopClose = wire.onClose(detach);
      return detach;
    },
    emit(name, data) {
      const checked = events[name].parse(data);
      for (const wire of clients) wire.post({ t: 'event', name, data: checked } satisfies ServerMessage);
    },
  };
}

async function dispatch(
  handlers: Handlers,
  name: string,
  rawParams: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!Object.hasOwn(calls, name)) throw new WhittleError('usage', `There is no call named ${name}.`);
  const call = calls[name as CallName];
  const params = call.params.safeParse(rawParams);
  if (!params.success) {
    throw new WhittleError('usage', `The parameters of ${name} are not valid.`, {
      issues: params.error.issues.map((issue) => ({
        code: 'usage',
        severity: 'error',
        node: issue.path.join('.'),
        message: `${issue.path.join('.') || 'parameters'}: ${issue.message}`,
      })),
    });
  }
  const handler = handlers[name as CallName] as (
    params: unknown,
    context: { signal: AbortSignal },
  ) => Promise<unknown>;
  const result = call.result.safeParse(await handler(params.data, { signal }));
  if (result.success) return result.data;
  throw new WhittleError(
    'internal',
    `The result of ${name} did not match the contract: ${result.error.message}`,
  );
}
