import { join } from 'node:path';
import { app, type BrowserWindow, ipcMain, protocol, session } from 'electron';
import { CoreSupervisor } from '../../core/rpc/supervisor.ts';
import { channels } from '../preload/channels.ts';
import { appOrigin, serveApp } from '../security/app-protocol.ts';
import { denyPermissions, lockDown } from '../security/lock-down.ts';
import { isStudio } from '../security/senders.ts';
import { utilityCore } from './core-process.ts';
import { serveDialogs } from './dialogs.ts';
import { setMenu } from './menu.ts';
import { openWindow } from './window.ts';

const dist = join(__dirname, '..');
let window: BrowserWindow | undefined;

protocol.registerSchemesAsPrivileged([
  {
    scheme: new URL(appOrigin).protocol.slice(0, -1),
    privileges: { standard: true, secure: true, supportFetchAPI: true },
  },
]);
lockDown(app);

function toPage(channel: string, payload: unknown): void {
  if (window && !window.isDestroyed()) window.webContents.send(channel, payload);
}

function start(): void {
  setMenu(!app.isPackaged);
  denyPermissions(session.defaultSession);
  protocol.handle('app', (request) => serveApp(join(dist, 'renderer'), request.url));
  serveDialogs(() => window);

  const supervisor = new CoreSupervisor({
    spawn: () => utilityCore(join(dist, 'core', 'core-process.js')),
    onCrash: (message) => console.error(message),
  });
  const core = supervisor.connect();
  core.onMessage((message) => toPage(channels.message, message));
  ipcMain.on(channels.post, (event, message: unknown) => {
    if (isStudio(event)) core.post(message);
  });
  app.on('before-quit', () => void supervisor.stop());

  window = openWindow();
  window.on('closed', () => {
    window = undefined;
  });
  app.on('activate', () => {
    window ??= openWindow();
  });
}

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.whenReady().then(start);
} else {
  app.quit();
}
