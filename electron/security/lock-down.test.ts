import { EventEmitter } from 'node:events';
import type { App, IpcMainEvent, Session } from 'electron';
import { describe, expect, it } from 'vitest';
import { denyPermissions, lockDown } from './lock-down.ts';
import { isStudio } from './senders.ts';

class FakeContents extends EventEmitter {
  openHandler: (() => { action: string }) | undefined;
  setWindowOpenHandler(handler: () => { action: string }) {
    this.openHandler = handler;
  }
}

describe('lockDown', () => {
  it('denies navigation, web views and new windows on every contents', () => {
    const app = new EventEmitter();
    lockDown(app as unknown as App);
    const contents = new FakeContents();
    app.emit('web-contents-created', {}, contents);
    for (const name of ['will-navigate', 'will-attach-webview']) {
      let prevented = false;
      contents.emit(name, { preventDefault: () => (prevented = true) });
      expect(prevented, name).toBe(true);
    }
    expect(contents.openHandler?.()).toEqual({ action: 'deny' });
  });
});

describe('denyPermissions', () => {
  it('grants writing to the clipboard and nothing else', () => {
    const asked: Record<string, boolean> = {};
    let check: (contents: unknown, permission: string) => boolean = () => true;
    denyPermissions({
      setPermissionRequestHandler: (
        handler: (c: unknown, p: string, done: (ok: boolean) => void) => void,
      ) => {
        for (const name of ['clipboard-sanitized-write', 'media', 'geolocation', 'notifications']) {
          handler({}, name, (ok) => {
            asked[name] = ok;
          });
        }
      },
      setPermissionCheckHandler: (handler: typeof check) => {
        check = handler;
      },
    } as unknown as Session);
    expect(asked).toEqual({
      'clipboard-sanitized-write': true,
      media: false,
      geolocation: false,
      notifications: false,
    });
    expect(check({}, 'clipboard-read')).toBe(false);
  });
});

describe('isStudio', () => {
  const cases: [string, unknown, boolean][] = [
    ['the page', { url: 'app://studio/', parent: null }, true],
    ['another page', { url: 'https://example.org/', parent: null }, false],
    ['a look-alike host', { url: 'app://studio.example/', parent: null }, false],
    ['a frame inside the page', { url: 'app://studio/', parent: {} }, false],
    ['a frame that is gone', null, false],
  ];
  it.each(cases)('%s', (_name, senderFrame, expected) => {
    expect(isStudio({ senderFrame } as unknown as IpcMainEvent)).toBe(expected);
  });
});
