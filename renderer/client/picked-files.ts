import { acceptFor } from './file-kinds.ts';
import type { Picked, PickKind } from './shell.ts';

/** Opens the browser's own file chooser. Resolves with nothing when the person cancels. */
export function pickFiles(kind: PickKind): Promise<Picked[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    // A model may come with the files that hold its weights.
    input.multiple = kind === 'data' || kind === 'model';
    input.accept = acceptFor(kind);
    input.webkitdirectory = isFolderKind(kind);
    input.addEventListener('cancel', () => resolve([]), { once: true });
    input.addEventListener('change', () => resolve(fromFileList([...(input.files ?? [])], kind)), {
      once: true,
    });
    input.click();
  });
}

function isFolderKind(kind: PickKind): boolean {
  return kind === 'data-folder' || kind === 'model-folder';
}

function folderOf(name: string, files: Picked['files']): Picked {
  const entries = files.flatMap(({ path }) => (path.split('/').length === 2 ? [path.split('/')[1]] : []));
  return { name, isFolder: true, entries, files };
}

function fromFileList(files: File[], kind: PickKind): Picked[] {
  if (files.length === 0) return [];
  if (isFolderKind(kind)) {
    const name = files[0].webkitRelativePath.split('/')[0];
    return [
      folderOf(
        name,
        files.map((file) => ({ path: file.webkitRelativePath, file })),
      ),
    ];
  }
  return files.map((file) => ({ name: file.name, isFolder: false, files: [{ path: file.name, file }] }));
}

/** Files and folders of a drop. Entries must be taken before the first await: the transfer is emptied after. */
export async function readDrop(transfer: DataTransfer): Promise<Picked[]> {
  const dropped = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const picked = dropped.map(async ({ entry, file }): Promise<Picked[]> => {
    if (entry) {
      const files = await readEntry(entry, entry.name);
      return [entry.isDirectory ? folderOf(entry.name, files) : { name: entry.name, isFolder: false, files }];
    }
    // What does not come from a file system (a picture of another page) has a file but no entry.
    return file ? [{ name: file.name, isFolder: false, files: [{ path: file.name, file }] }] : [];
  });
  return (await Promise.all(picked)).flat();
}

/** Names at the top of a dropped folder; a reader hands them out in batches. */
export async function entryNames(folder: FileSystemDirectoryEntry): Promise<string[]> {
  return (await entriesOf(folder)).map(({ name }) => name);
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // At most a hundred at a time; the end is an empty list.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return found;
    found.push(...batch);
  }
}

async function readEntry(entry: FileSystemEntry, path: string): Promise<{ path: string; file: File }[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, file }];
  }
  const found: { path: string; file: File }[] = [];
  for (const child of await entriesOf(entry as FileSystemDirectoryEntry)) {
    if (!child.name.startsWith('.')) found.push(...(await readEntry(child, `${path}/${child.name}`)));
  }
  return found;
}
