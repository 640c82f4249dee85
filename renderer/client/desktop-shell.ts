import type { DesktopBridge } from '../../core/contract/desktop-bridge.ts';
import { Listeners, type Wire } from '../../core/rpc/wire.ts';
import type { Picked, Shell } from './shell.ts';

declare global {
  interface Window {
    whittle?: DesktopBridge;
  }
}

function fromPath(path: string, isFolder: boolean): Picked {
  return { name: path.split(/[\\/]/).at(-1) ?? path, isFolder, path, files: [] };
}

/** The shell inside the desktop window: paths go straight to the core, dialogs are the system's own. */
export function createDesktopShell(bridge: DesktopBridge): Shell {
  const messages = new Listeners<unknown>();
  const closes = new Listeners<void>();
  // The bridge cannot unsubscribe, so it is listened to once and passed on to whichever wire is current.
  bridge.onMessage((json) => messages.tell(JSON.parse(json)));
  bridge.onClose(() => closes.tell());

  return {
    kind: 'desktop',
    connect: (): Wire => ({
      post: (message) => bridge.post(JSON.stringify(message)),
      onMessage: (listener) => messages.add(listener),
      onClose: (listener) => closes.add(listener),
    }),
    async pick(kind) {
      const paths = await bridge.openFileDialog(kind);
      return paths.map((path) => fromPath(path, kind === 'data-folder'));
    },
    async fromDrop(transfer) {
      const items = [...transfer.items].filter((item) => item.kind === 'file');
      return items.flatMap((item) => {
        const file = item.getAsFile();
        if (!file) return [];
        const picked = fromPath(bridge.pathForFile(file), item.webkitGetAsEntry()?.isDirectory ?? false);
        return [{ ...picked, files: [{ path: file.name, file }] }];
      });
    },
    async toRefs(picked) {
      return picked.flatMap((item) => (item.path ? [item.path] : []));
    },
    askSavePath: (suggestedName) => bridge.saveFileDialog(suggestedName),
    showInFolder: (path) => bridge.showInFolder(path),
  };
}
