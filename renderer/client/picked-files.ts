import { acceptFor } from './file-kinds.ts';
import type { Picked, PickKind } from './shell.ts';

/** Opens the browser's own file chooser. Resolves with nothing when the person cancels. */
export function pickFiles(kind: PickKind): Promise<Picked[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = kind === 'data';
    input.accept = acceptFor(kind);
    input.webkitdirectory = kind === 'data-folder';
    input.addEventListener('cancel', () => resolve([]), { once: true });
    input.addEventListener('change', () => resolve(fromFileList([...(input.files ?? [])], kind)), {
      once: true,
    });
    input.click();
  });
}

function fromFileList(files: File[], kind: PickKind): Picked[] {
  if (files.length === 0) return [];
  if (kind === 'data-folder') {
    const name = files[0].webkitRelativePath.split('/')[0];
    return [{ name, isFolder: true, files: files.map((file) => ({ path: file.webkitRelativePath, file })) }];
  }
  return files.map((file) => ({ name: file.name, isFolder: false, files: [{ path: file.name, file }] }));
}

/** Files and folders of a drop. Entries must be taken before the first await: the transfer is emptied after. */
export async function readDrop(transfer: DataTransfer): Promise<Picked[]> {
  const dropped = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const picked = dropped.map(async ({ entry, file }): Promise<Picked[]> => {
    if (entry)
      return [{ name: entry.name, isFolder: entry.isDirectory, files: await readEntry(entry, entry.name) }];
    // What does not come from a file system (a picture of another page) has a file but no entry.
    return file ? [{ name: file.name, isFolder: false, files: [{ path: file.name, file }] }] : [];
  });
  return (await Promise.all(picked)).flat();
}

async function readEntry(entry: FileSystemEntry, path: string): Promise<{ path: string; file: File }[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: { path: string; file: File }[] = [];
  for (;;) {
    // A reader hands out at most a hundred entries at a time and ends with an empty list.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return found;
    for (const child of batch) {
      if (!child.name.startsWith('.')) found.push(...(await readEntry(child, `${path}/${child.name}`)));
    }
  }
}
