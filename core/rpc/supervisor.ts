import type { ErrorView } from '../contract/views.ts';
import type { HubMessage } from './hub.ts';
import { Listeners, type Wire } from './wire.ts';

/** One core process, as its owner sees it. */
export interface CoreChild {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Told once, with words for how it ended. */
  onExit(listener: (how: string) => void): void;
  /** Asks it to end; it is killed when it has not in two seconds. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  /** Starts one core. */
  spawn(): CoreChild;
  /** A line for the terminal or the log. */
  onCrash?(message: string): void;
}

/** More crashes than this within a minute, and the core is not started again by itself. */
const crashLimit = 5;
const crashWindowMs = 60_000;

/**
 * Owns the life of the core: starts it, relays any number of clients to it, and starts it again when it crashes. Clients
 * then get a `reset` message with the reason; their wires stay. Knows nothing of what the messages mean.
 */
export class CoreSupervisor {
  private readonly options: SupervisorOptions;
  private readonly clients = new Map<number, { messages: Listeners<unknown>; closes: Listeners<void> }>();
  private readonly crashes: number[] = [];
  private child: CoreChild | undefined;
  private nextClient = 1;
  private stopped = false;

  constructor(options: SupervisorOptions) {
    this.options = options;
  }

  /** A wire for one more client. Close it when the client is gone. */
  connect(): Wire {
    const id = this.nextClient++;
    const ends = { messages: new Listeners<unknown>(), closes: new Listeners<void>() };
    this.clients.set(id, ends);
    if (this.child) this.send({ client: id, kind: 'open' });
    else this.start();
    return {
      post: (data) => {
        if (!this.clients.has(id)) return;
        if (!this.child) this.start();
        this.send({ client: id, kind: 'data', data });
      },
      onMessage: (listener) => ends.messages.add(listener),
      onClose: (listener) => ends.closes.add(listener),
      close: () => {
        if (!this.clients.delete(id)) return;
        this.send({ client: id, kind: 'close' });
        ends.closes.tell();
      },
    };
  }

  /** Ends the core for good. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const { closes } of this.clients.values()) closes.tell();
    this.clients.clear();
    await this.child?.stop();
  }

  private start(): void {
    if (this.stopped) return;
    const child = this.options.spawn();
    this.child = child;
    child.onMessage((raw) => {
      const message = raw as HubMessage;
      if (this.child === child && message?.kind === 'data') {
        this.clients.get(message.client)?.messages.tell(message.data);
      }
    });
    child.onExit((how) => {
      if (this.child === child) this.handleExit(how);
    });
    for (const id of this.clients.keys()) this.send({ client: id, kind: 'open' });
  }

  private handleExit(how: string): void {
    this.child = undefined;
    if (this.stopped) return;
    const now = Date.now();
    this.crashes.push(now);
    while (this.crashes[0] < now - crashWindowMs) this.crashes.shift();
    const again = this.crashes.length <= crashLimit;
    const error: ErrorView = {
      code: 'job.crashed',
      message: again
        ? `The core ended unexpectedly (${how}) and was started again.`
        : `The core ended ${this.crashes.length} times within a minute (${how}).`,
      hint: again
        ? 'The job that was running has failed; the project is as it was saved.'
        : 'Restart Whittle.',
      issues: [],
    };
    this.options.onCrash?.(error.message);
    // A core that cannot live is tried again only when a client asks for something.
    if (again) this.start();
    for (const { messages } of this.clients.values()) messages.tell({ t: 'reset', error });
  }

  private send(message: HubMessage): void {
    this.child?.post(message);
  }
}
