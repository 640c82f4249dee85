import { serveHub } from '../rpc/hub.ts';
import { createParentWire } from '../rpc/process-wire.ts';
import { createServer, type Server } from '../rpc/server.ts';
import type { Wire } from '../rpc/wire.ts';
import { homeFolder } from '../studio/places.ts';
import { createStudio } from '../studio/studio.ts';
import { siblingEntry } from './sibling.ts';
import { WorkerTaskRunner } from './worker-tasks.ts';

/**
 * Entry of the core process, a child of the desktop shell or of the web host. Its parent speaks for any number of
 * clients (`core/rpc/hub.ts`). `WHITTLE_SHELL` says which of the two it is (`desktop` or `web`); `WHITTLE_UPLOADS` and
 * `WHITTLE_DOWNLOADS` are the web host's folders.
 */
const shell = process.env.WHITTLE_SHELL === 'desktop' ? 'desktop' : 'web';
const parent = createParentWire(process);

// Clients may speak while the studio is still bringing projects in order: their messages wait here.
const waiting: Wire[] = [];
let server: Server | undefined;
serveHub(parent, (wire) => {
  if (server) server.attach(wire);
  else waiting.push(holdMessages(wire));
});

const studio = await createStudio({
  home: homeFolder(),
  shell,
  runner: new WorkerTaskRunner(siblingEntry('job-worker')),
  uploads: process.env.WHITTLE_UPLOADS,
  downloads: process.env.WHITTLE_DOWNLOADS,
  emit: (name, data) => server?.emit(name, data),
});
server = createServer(studio.handlers);
for (const wire of waiting) server.attach(wire);

/** The same wire, whose first listener also hears what was said before it listened. */
function holdMessages(wire: Wire): Wire {
  const held: unknown[] = [];
  let closed = false;
  const stop = wire.onMessage((message) => held.push(message));
  wire.onClose(() => {
    closed = true;
  });
  return {
    post: (message) => wire.post(message),
    onMessage(listener) {
      stop();
      const unsubscribe = wire.onMessage(listener);
      for (const message of held.splice(0)) listener(message);
      return unsubscribe;
    },
    onClose(listener) {
      if (closed) queueMicrotask(listener);
      return wire.onClose(listener);
    },
  };
}

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  void studio.close().finally(() => process.exit(0));
};
parent.onClose(end);
process.on('SIGTERM', end);
// A terminal's Ctrl-C reaches the whole process group; the host decides when the core ends.
process.on('SIGINT', () => {});
