import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../rpc/client.ts';
import { serveHub } from '../rpc/hub.ts';
import { createWirePair } from '../rpc/memory-wire.ts';
import { createServer } from '../rpc/server.ts';
import { CoreSupervisor } from '../rpc/supervisor.ts';
import { webEndpoints } from '../rpc/web-endpoints.ts';
import { createWebSocketWire, type SocketLike } from '../rpc/websocket-wire.ts';
import { createStudio } from '../studio/studio.ts';
import type { TaskRunner } from '../studio/tasks.ts';
import { startWebHost, type WebHost } from './web-host.ts';

const noTasks: TaskRunner = { run: () => Promise.reject(new Error('no tasks here')), close: async () => {} };

let folder: string;
let host: WebHost;
let env: NodeJS.ProcessEnv;

/** A core in this process, behind the same supervisor as a real one. */
function supervise(given: NodeJS.ProcessEnv): CoreSupervisor {
  env = given;
  return new CoreSupervisor({
    spawn() {
      const [near, far] = createWirePair();
      const ready = createStudio({
        home: join(folder, 'home'),
        shell: 'web',
        runner: noTasks,
        uploads: given.WHITTLE_UPLOADS,
        downloads: given.WHITTLE_DOWNLOADS,
        emit: () => {},
      });
      void ready.then(({ handlers }) => {
        const server = createServer(handlers);
        serveHub(far, (wire) => void server.attach(wire));
        for (const message of held.splice(0)) near.post(message);
        opened = true;
      });
      const held: unknown[] = [];
      let opened = false;
      return {
        post: (message) => (opened ? near.post(message) : void held.push(message)),
        onMessage: (listener) => void near.onMessage(listener),
        onExit: () => {},
        stop: async () => {},
      };
    },
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-host-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>studio</title>');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  host = await startWebHost({ renderer: folder, supervisor: supervise });
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A request with exactly the given path and headers, which `fetch` would tidy up. */
function send(path: string, options: RequestOptions = {}, body?: Uint8Array | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: '127.0.0.1', port: host.port, path, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

const origin = (): string => `http://127.0.0.1:${host.port}`;
const upload = (query: string, headers: Record<string, string> = {}, body: Uint8Array | string = 'data') =>
  send(`/upload?${query}`, { method: 'POST', headers: { origin: origin(), ...headers } }, body);

test('the page is served with a strict policy', async () => {
  const { status, headers, body } = await send('/');
  expect(status).toBe(200);
  expect(body).toContain('studio');
  const policy = headers['content-security-policy'] as string;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|https?:\/\/[^ ]*\*/);
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test.each([
  ['a rebound name', () => ({ host: `evil.example:${host.port}` }), 403],
  ['another port', () => ({ host: '127.0.0.1:1' }), 403],
  ['another origin', () => ({ origin: 'https://evil.example' }), 403],
  ['a null origin', () => ({ origin: 'null' }), 403],
  ['its own origin', () => ({ origin: origin() }), 200],
])('a page request with %s', async (_name, headers, status) => {
  expect((await send('/', { headers: headers() })).status).toBe(status);
});

test.each([
  '/../../etc/passwd',
  '/..%2f..%2fetc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/%00',
  '/secret.txt',
  '/%E0%A4%A',
  '//etc/passwd',
])('%s is not there', async (path) => {
  const { status, body } = await send(path);
  expect(status).toBe(404);
  expect(body).not.toContain('root:');
  expect(body).not.toContain('"secret"');
});

test.each([
  ['no token', () => '', {}, 401],
  ['a wrong token', () => `&token=${'x'.repeat(32)}`, {}, 401],
  ['another origin', () => `&token=${host.token}`, { origin: 'http://127.0.0.1:1' }, 403],
  ['the token', () => `&token=${host.token}`, {}, 200],
])('an upload with %s', async (_name, token, headers, status) => {
  expect((await upload(`id=guard&path=a.bin${token()}`, headers)).status).toBe(status);
});

test('an upload that no page made is refused', async () => {
  const { status } = await send(`/upload?id=x&path=a&token=${host.token}`, { method: 'POST' }, 'data');
  expect(status).toBe(403);
});

test.each(['../a', 'a/../../b', '/etc/a', 'a//b', 'a\\b', 'C:a', '', '.', 'a\0b'])(
  'an upload to %j is refused',
  async (path) => {
    const { status, body } = await upload(`id=evil&path=${encodeURIComponent(path)}&token=${host.token}`);
    expect(status).toBe(400);
    expect(JSON.parse(body).error.code).toBe('usage');
  },
);

test.each(['../x', 'a/b', '', 'a b', 'x'.repeat(65)])('the upload id %j is refused', async (id) => {
  expect((await upload(`id=${encodeURIComponent(id)}&path=a&token=${host.token}`)).status).toBe(400);
});

test('files of one upload lie together, byte for byte', async () => {
  const bytes = Buffer.alloc(3 << 20, 7);
  const first = await upload(`id=model-1&path=m%2Fmodel.onnx&token=${host.token}`, {}, bytes);
  expect(JSON.parse(first.body)).toEqual({ ref: 'upload:model-1', sizeBytes: bytes.length });
  await upload(`id=model-1&path=m%2Fweights.bin&token=${host.token}`);
  const stored = join(env.WHITTLE_UPLOADS!, 'model-1', 'm');
  expect((await readdir(stored)).sort()).toEqual(['model.onnx', 'weights.bin']);
  expect((await readFile(join(stored, 'model.onnx'))).equals(bytes)).toBe(true);
});

test('an upload that breaks off leaves nothing', async () => {
  const before = await readdir(env.WHITTLE_UPLOADS!);
  await new Promise<void>((resolve) => {
    const call = httpRequest({
      host: '127.0.0.1',
      port: host.port,
      path: `/upload?id=broken&path=a.bin&token=${host.token}`,
      method: 'POST',
      headers: { origin: origin(), 'content-length': 1000 },
    });
    call.on('error', () => resolve());
    call.write('only this');
    setTimeout(() => call.destroy(), 50);
  });
  await expect
    .poll(async () => (await readdir(env.WHITTLE_UPLOADS!)).filter((name) => name.endsWith('.partial')))
    .toEqual([]);
  const after = await readdir(env.WHITTLE_UPLOADS!);
  expect(after.filter((name) => !before.includes(name) && name !== 'broken')).toEqual([]);
});

test('a download ticket is good for one time', async () => {
  const file = join(folder, 'out.tflite');
  await writeFile(file, 'flat');
  const ticket = 'a'.repeat(24);
  await writeFile(
    join(env.WHITTLE_DOWNLOADS!, `${ticket}.json`),
    JSON.stringify({ path: file, fileName: 'ö "x".tflite' }),
  );
  expect((await send(`/download/${ticket}`)).status).toBe(401);
  const { status, body, headers } = await send(`/download/${ticket}?token=${host.token}`);
  expect([status, body]).toEqual([200, 'flat']);
  expect(headers['content-disposition']).toBe("attachment; filename*=UTF-8''%C3%B6%20%22x%22.tflite");
  expect((await send(`/download/${ticket}?token=${host.token}`)).status).toBe(404);
  expect((await send(`/download/..%2f..%2fpackage?token=${host.token}`)).status).toBe(404);
});

function openSocket(query: string, headers: Record<string, string>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}${query}`, { headers });
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
  });
}

test.each([
  ['no token', () => ['/rpc', { origin: origin() }], '401'],
  ['a wrong token', () => ['/rpc?token=abc', { origin: origin() }], '401'],
  ['no origin', () => [`/rpc?token=${host.token}`, {}], '403'],
  ['another origin', () => [`/rpc?token=${host.token}`, { origin: 'https://evil.example' }], '403'],
  ['another host', () => [`/rpc?token=${host.token}`, { origin: origin(), host: 'evil.example' }], '403'],
  ['another path', () => [`/other?token=${host.token}`, { origin: origin() }], '404'],
] as [string, () => [string, Record<string, string>], string][])(
  'a socket with %s is refused',
  async (_name, given, status) => {
    await expect(openSocket(...given())).rejects.toThrow(status);
  },
);

test('a page speaks to the core; a plain path is refused', async () => {
  const endpoints = webEndpoints({ origin: origin(), search: `?token=${host.token}` });
  const socket = new WebSocket(endpoints.rpcUrl, { headers: { origin: origin() } });
  const client = createClient(createWebSocketWire(socket as unknown as SocketLike));
  expect(await client.call('app.info', {})).toMatchObject({ shell: 'web' });
  for (const ref of [
    join(folder, 'secret.txt'),
    '/etc/passwd',
    'upload:../x',
    'upload:guard/../../secret.txt',
  ]) {
    const error = await client.call('model.open', { ref, jobId: ref }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'usage' });
  }
  await expect(
    client.call('artifact.export', { projectId: 'p', artifactId: 'a', path: '/tmp/x', overwrite: true }),
  ).rejects.toMatchObject({ code: 'usage' });
  client.close();
});
