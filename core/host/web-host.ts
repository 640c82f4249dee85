import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import { CoreSupervisor } from '../rpc/supervisor.ts';
import { createWebSocketWire, type SocketLike } from '../rpc/websocket-wire.ts';
import { findRenderer } from '../studio/places.ts';
import { forkCore } from './fork-core.ts';
import { siblingEntry } from './sibling.ts';
import { receiveUpload, sendDownload, sendStatic } from './web-files.ts';
import { checkAddress, checkCaller, type Guard, type Refusal, securityHeaders } from './web-guard.ts';

export interface WebHostOptions {
  /** 0 or left out: any free port. */
  port?: number;
  /** The built page; found beside the code by default. */
  renderer?: string;
  /** For tests; by default the core is a child process. */
  supervisor?: (env: NodeJS.ProcessEnv) => CoreSupervisor;
  onCrash?(message: string): void;
}

export interface WebHost {
  /** The address to open: it carries the token. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  close(): Promise<void>;
}

/** RPC messages are views and parameters; models and samples never travel this way. */
const messageLimit = 16 * 1024 * 1024;

/**
 * Serves the studio to a browser on this machine: the page, RPC over a WebSocket, streamed uploads and one-time
 * downloads. Listens on loopback only; the Host and Origin of every request and the token of whatever acts are checked.
 * @throws WhittleError `runtime.missing` when the page was not built, `usage` when the port is taken.
 */
export async function startWebHost(options: WebHostOptions = {}): Promise<WebHost> {
  const renderer = options.renderer ?? findRenderer();
  if (!renderer) {
    throw new WhittleError('runtime.missing', "The studio's page was not built.", {
      hint: 'Run npm run build.',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'whittle-web-'));
  const uploads = join(folder, 'uploads');
  const downloads = join(folder, 'downloads');
  await mkdir(uploads);
  await mkdir(downloads);
  const env = {
    ...process.env,
    WHITTLE_SHELL: 'web',
    WHITTLE_UPLOADS: uploads,
    WHITTLE_DOWNLOADS: downloads,
  };
  const supervisor =
    options.supervisor?.(env) ??
    new CoreSupervisor({
      spawn: () => forkCore({ script: fileURLToPath(siblingEntry('core-process')), env }),
      onCrash: options.onCrash,
    });
  const guard: { token: string; port: number } = { token: randomBytes(24).toString('base64url'), port: 0 };

  const server = createServer((request, response) => {
    handle(request, response, { guard, renderer, uploads, downloads }).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendError(response, statusOf(error), error);
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageLimit });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const refusal =
      checkAddress(request, guard) ??
      checkCaller(request, url, guard) ??
      (url.pathname === '/rpc' ? undefined : { status: 404, message: 'There is nothing here.' });
    if (refusal) refuseUpgrade(socket, refusal);
    else sockets.handleUpgrade(request, socket, head, (client) => relay(client, supervisor));
  });
  try {
    guard.port = await listen(server, options.port ?? 0);
  } catch (error) {
    await supervisor.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }

  return {
    url: `http://127.0.0.1:${guard.port}/?token=${guard.token}`,
    port: guard.port,
    token: guard.token,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await supervisor.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Joins one page to the core, message by message. */
function relay(client: WebSocket, supervisor: CoreSupervisor): void {
  const page = createWebSocketWire(client as unknown as SocketLike);
  const core = supervisor.connect();
  client.on('error', () => client.terminate());
  page.onMessage((message) => core.post(message));
  core.onMessage((message) => page.post(message));
  page.onClose(() => core.close?.());
  core.onClose(() => page.close?.());
}

interface Site {
  readonly guard: Guard;
  readonly renderer: string;
  readonly uploads: string;
  readonly downloads: string;
}

async function handle(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders())) response.setHeader(name, value);
  const refusal = checkAddress(request, site.guard);
  if (refusal) return sendRefusal(response, refusal);
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { pathname } = url;

  if (pathname === '/upload' || pathname.startsWith('/download/')) {
    const method = pathname === '/upload' ? 'POST' : 'GET';
    const wrong =
      request.method === method
        ? checkCaller(request, url, site.guard)
        : { status: 405, message: `Use ${method}.` };
    if (wrong) return sendRefusal(response, wrong);
    if (method === 'POST') {
      const id = url.searchParams.get('id') ?? '';
      sendJson(
        response,
        200,
        await receiveUpload(request, site.uploads, id, url.searchParams.get('path') ?? ''),
      );
      return;
    }
    if (await sendDownload(site.downloads, pathname.slice('/download/'.length), response)) return;
    return sendRefusal(response, { status: 404, message: 'This download was used, or never offered.' });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendRefusal(response, { status: 405, message: 'Use GET.' });
  }
  if (await sendStatic(site.renderer, pathname, response)) return;
  sendRefusal(response, { status: 404, message: 'There is nothing here.' });
}

function statusOf(error: unknown): number {
  if (!(error instanceof WhittleError)) return 500;
  if (error.code === 'usage') return 400;
  return error.code === 'file.no-space' ? 507 : 500;
}

function sendError(response: ServerResponse, status: number, error: unknown): void {
  sendJson(response, status, { error: toErrorView(error) });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function sendRefusal(response: ServerResponse, { status, message }: Refusal): void {
  // The rest of a refused body is not read.
  response.setHeader('connection', 'close');
  sendJson(response, status, { error: { code: 'usage', message, issues: [] } });
}

function refuseUpgrade(socket: Duplex, { status, message }: Refusal): void {
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      reject(
        taken
          ? new WhittleError(
              'usage',
              `Port ${port} cannot be used: ${error.code === 'EACCES' ? 'permission is missing' : 'it is taken'}.`,
              {
                hint: 'Leave --port out to take any free one.',
              },
            )
          : error,
      );
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
