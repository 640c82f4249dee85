import * as z from 'zod';
import { Listeners, type Wire } from './wire.ts';

/** Several clients over one wire: each message carries the number of its client. */
export const HubMessage = z.object({
  client: z.number().int(),
  kind: z.enum(['open', 'data', 'close']),
  data: z.unknown().optional(),
});
export type HubMessage = z.infer<typeof HubMessage>;

/** The core's end of the hub: calls `accept` with a wire of its own for each client that opens. */
export function serveHub(wire: Wire, accept: (client: Wire) => void): void {
  const clients = new Map<number, { messages: Listeners<unknown>; closes: Listeners<void> }>();
  const open = (client: number): void => {
    const ends = { messages: new Listeners<unknown>(), closes: new Listeners<void>() };
    clients.set(client, ends);
    accept({
      post: (data) => wire.post({ client, kind: 'data', data } satisfies HubMessage),
      onMessage: (listener) => ends.messages.add(listener),
      onClose: (listener) => ends.closes.add(listener),
    });
  };
  wire.onMessage((raw) => {
    const parsed = HubMessage.safeParse(raw);
    if (!parsed.success) return;
    const { client, kind, data } = parsed.data;
    if (kind === 'open') open(client);
    else if (kind === 'data') clients.get(client)?.messages.tell(data);
    else {
      clients.get(client)?.closes.tell();
      clients.delete(client);
    }
  });
  wire.onClose(() => {
    for (const ends of clients.values()) ends.closes.tell();
    clients.clear();
  });
}
