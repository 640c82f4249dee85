import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { appOrigin } from './app-protocol.ts';

/** True when a message comes from the studio's own page in its top frame, and from nowhere else. */
export function isStudio(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  if (!frame || frame.parent) return false;
  return frame.url === appOrigin || frame.url.startsWith(`${appOrigin}/`);
}
