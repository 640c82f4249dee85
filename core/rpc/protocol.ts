import * as z from 'zod';
import { ErrorView } from '../contract/views.ts';

/** What travels over a wire. Parameters, results and event data are checked against the contract by each side. */
export const ClientMessage = z.discriminatedUnion('t', [
  z.object({ t: z.literal('call'), id: z.number().int(), name: z.string(), params: z.unknown() }),
  z.object({ t: z.literal('cancel'), id: z.number().int() }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export const ServerMessage = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ok'), id: z.number().int(), result: z.unknown() }),
  z.object({ t: z.literal('error'), id: z.number().int(), error: ErrorView }),
  z.object({ t: z.literal('event'), name: z.string(), data: z.unknown() }),
  /** The core behind the wire was lost and is being started again: calls under way will not be answered. */
  z.object({ t: z.literal('reset'), error: ErrorView }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
