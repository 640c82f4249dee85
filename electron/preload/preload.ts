import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from 'electron';
import type { DesktopBridge } from '../../core/contract/desktop-bridge.ts';
import { channels } from './channels.ts';

const bridge: DesktopBridge = {
  post: (json) => ipcRenderer.send(channels.post, JSON.parse(json)),
  onMessage: (listener) => {
    const relay = (_event: IpcRendererEvent, message: unknown) => listener(JSON.stringify(message));
    ipcRenderer.on(channels.message, relay);
    return () => void ipcRenderer.removeListener(channels.message, relay);
  },
  onClose: () => () => {},
  pathForFile: (file) => webUtils.getPathForFile(file as File),
  openFileDialog: (kind) => ipcRenderer.invoke(channels.openFiles, kind),
  saveFileDialog: (suggestedName) => ipcRenderer.invoke(channels.saveFile, suggestedName),
  showInFolder: (path) => ipcRenderer.invoke(channels.showInFolder, path),
};

contextBridge.exposeInMainWorld('whittle', bridge);
