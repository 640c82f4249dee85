import type { DesktopBridge } from '../../core/contract/desktop-bridge.ts';
import type { Wire } from '../../core/rpc/wire.ts';
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
  return {
    kind: 'desktop',
    connect: (): Wire => ({
      post: (message) => bridge.post(JSON.stringify(message)),
      onMessage: (listener) => bridge.onMessage((json) => listener(JSON.parse(json))),
      onClose: (listener) => bridge.onClose(listener),
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
