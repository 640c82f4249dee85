import type { DesktopBridge } from '../../core/contract/desktop-bridge.ts';
import type { Wire } from '../../core/rpc/wire.ts';
import { entryNames } from './picked-files.ts';
import type { Picked, Shell } from './shell.ts';

declare global {
  interface Window {
    whittle?: DesktopBridge;
  }
}

function fromPath(path: string, isFolder: boolean): Picked {
  return { name: path.split(/[\\/]/).at(-1) ?? path, isFolder, path, files: [] };
}

async function pickedOf(path: string, file: File, entry: FileSystemEntry | null): Promise<Picked> {
  if (!entry?.isDirectory) return { ...fromPath(path, false), files: [{ path: file.name, file }] };
  return { ...fromPath(path, true), entries: await entryNames(entry as FileSystemDirectoryEntry) };
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
      if (kind === 'model-folder')
        return paths.map((path) => ({ ...fromPath(path, true), entries: ['saved_model.pb'] }));
      return paths.map((path) => fromPath(path, kind === 'data-folder'));
    },
    async fromDrop(transfer) {
      const items = [...transfer.items].filter((item) => item.kind === 'file');
      const dropped = items.flatMap((item): Promise<Picked>[] => {
        const file = item.getAsFile();
        return file ? [pickedOf(bridge.pathForFile(file), file, item.webkitGetAsEntry())] : [];
      });
      return Promise.all(dropped);
    },
    async toRefs(picked) {
      return picked.flatMap((item) => (item.path ? [item.path] : []));
    },
    askSavePath: (suggestedName) => bridge.saveFileDialog(suggestedName),
    showInFolder: (path) => bridge.showInFolder(path),
  };
}
