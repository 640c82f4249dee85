// Lets the built desktop shell run on Electron 9, the newest that test machines without GitHub can have. It supplies
// the names that later versions brought (utilityProcess, protocol.handle, senderFrame, setWindowOpenHandler, webUtils)
// and then loads the very main.cjs that ships. Tests only.
const { spawn } = require('child_process');
const { EventEmitter } = require('events');
const fs = require('fs');
const path = require('path');
const electron = require('electron');

const { app, ipcMain, protocol } = electron;
const dist = path.join(__dirname, '..', '..', '..', 'dist');

electron.utilityProcess = {
  fork(modulePath, args = [], options = {}) {
    const child = spawn(process.env.WHITTLE_TEST_NODE || 'node', [modulePath, ...args], {
      env: options.env || process.env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const handle = new EventEmitter();
    handle.pid = child.pid;
    // The tests end the core by its number.
    global.corePid = child.pid;
    handle.postMessage = (message) => child.connected && child.send(message);
    handle.kill = () => child.kill();
    child.on('message', (message) => handle.emit('message', message));
    child.on('exit', (code, signal) => handle.emit('exit', code === null ? `signal ${signal}` : code));
    setImmediate(() => handle.emit('spawn'));
    return handle;
  },
};

// The page built for this Chromium stands in for the one that ships.
const readFile = fs.promises.readFile;
fs.promises.readFile = (file, ...rest) => {
  const shipped = path.join(dist, 'renderer');
  const inPage = typeof file === 'string' && file.startsWith(shipped) && process.env.WHITTLE_TEST_PAGE;
  return readFile(inPage ? file.replace(shipped, process.env.WHITTLE_TEST_PAGE) : file, ...rest);
};

global.Response = class Response {
  constructor(body, { status = 200, headers = {} } = {}) {
    this.body = body;
    this.status = status;
    this.headers = headers;
  }
};

protocol.handle = (scheme, handler) => {
  protocol.registerBufferProtocol(scheme, async (request, callback) => {
    const response = await handler({ url: request.url, method: request.method });
    const mimeType = (response.headers['Content-Type'] || 'text/plain').split(';')[0];
    const data = Buffer.from(response.body);
    callback({ statusCode: response.status, headers: response.headers, mimeType, charset: 'utf-8', data });
  });
};

const withSenderFrame =
  (listener) =>
  (event, ...args) => {
    if (!event.senderFrame) event.senderFrame = { url: event.sender.getURL(), parent: null };
    return listener(event, ...args);
  };
for (const name of ['on', 'handle']) {
  const original = ipcMain[name].bind(ipcMain);
  ipcMain[name] = (channel, listener) => original(channel, withSenderFrame(listener));
}

app.on('web-contents-created', (_event, contents) => {
  contents.setWindowOpenHandler = (handler) => {
    contents.on('new-window', (event, url) => {
      if (handler({ url }).action === 'deny') event.preventDefault();
    });
  };
});

app.whenReady().then(() => {
  electron.session.defaultSession.setPreloads([path.join(__dirname, 'preload-shim.cjs')]);
});

require(path.join(dist, 'electron', 'main.cjs'));
