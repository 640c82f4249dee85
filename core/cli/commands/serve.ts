import { openBrowser } from '../../host/open-browser.ts';
import { startWebHost } from '../../host/web-host.ts';
import { type CommandContext, exitCodes } from '../io.ts';

/** Serves the studio until it is told to stop. */
export async function serve(
  options: { port?: number; open: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const host = await startWebHost({ port: options.port, onCrash: (message) => io.err(`${message}\n`) });
  // The address is what a script waits for, so it stands alone on its line.
  io.err(`The studio is at\n${host.url}\n`);
  if (options.open && !(await openBrowser(host.url))) {
    io.err('No browser could be opened here; open the address yourself.\n');
  }
  io.err('Ctrl-C ends it.\n');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await host.close();
  return exitCodes.done;
}
