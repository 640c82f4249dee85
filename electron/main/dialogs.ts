import { isAbsolute } from 'node:path';
import { type BrowserWindow, dialog, ipcMain, type OpenDialogOptions, shell } from 'electron';
import type { OpenKind } from '../../core/contract/desktop-bridge.ts';
import { channels } from '../preload/channels.ts';
import { isStudio } from '../security/senders.ts';

const openOptions: Record<OpenKind, OpenDialogOptions> = {
  model: {
    title: 'Open a model',
    properties: ['openFile'],
    filters: [
      { name: 'Models', extensions: ['h5', 'hdf5', 'keras', 'onnx', 'tflite', 'pb', 'json'] },
      { name: 'All files', extensions: ['*'] },
    ],
  },
  'model-folder': { title: 'Open a SavedModel folder', properties: ['openDirectory'] },
  data: {
    title: 'Choose samples',
    properties: ['openFile', 'multiSelections'],
    filters: [
      { name: 'Samples', extensions: ['npz', 'npy', 'csv', 'wav', 'png', 'jpg', 'jpeg', 'webp', 'bmp'] },
      { name: 'All files', extensions: ['*'] },
    ],
  },
  'data-folder': { title: 'Choose a folder of samples', properties: ['openDirectory'] },
  recipe: {
    title: 'Open a recipe',
    properties: ['openFile'],
    filters: [{ name: 'Recipes', extensions: ['json'] }],
  },
};

/** File dialogs for the page; each request's sender and arguments are checked. */
export function serveDialogs(windowOf: () => BrowserWindow | undefined): void {
  ipcMain.handle(channels.openFiles, async (event, kind: OpenKind): Promise<string[]> => {
    const window = windowOf();
    if (!isStudio(event) || !window || !(kind in openOptions)) return [];
    const { filePaths } = await dialog.showOpenDialog(window, openOptions[kind]);
    return filePaths;
  });
  ipcMain.handle(channels.saveFile, async (event, suggestedName: unknown): Promise<string | null> => {
    const window = windowOf();
    if (!isStudio(event) || !window || typeof suggestedName !== 'string') return null;
    const { filePath } = await dialog.showSaveDialog(window, { title: 'Export', defaultPath: suggestedName });
    return filePath || null;
  });
  ipcMain.handle(channels.showInFolder, (event, path: unknown) => {
    if (isStudio(event) && typeof path === 'string' && isAbsolute(path)) shell.showItemInFolder(path);
  });
}
