import { expect, test, vi } from 'vitest';
import type { Handlers } from '../contract/api.ts';
import { WhittleError } from '../contract/errors.ts';
import { createClient } from './client.ts';
import { serveHub } from './hub.ts';
import { createWirePair } from './memory-wire.ts';
import { createServer } from './server.ts';
import { webEndpoints } from './web-endpoints.ts';
import type { SocketLike } from './websocket-wire.ts';
import { createWebSocketWire } from './websocket-wire.ts';
import { Listeners } from './wire.ts';

/** Handlers of which a test supplies only those that it calls. */
function handlersOf(some: Partial<Handlers>): Handlers {
  return new Proxy(some as Handlers, {
    get: (target, name) =>
      target[name as keyof Handlers] ??
      (() => Promise.reject(new WhittleError('internal', `no handler ${String(name)}`))),
  });
}

function connect(some: Partial<Handlers>) {
  const [near, far] = createWirePair();
  const server = createServer(handlersOf(some));
  server.attach(far);
  return { client: createClient(near), server, near, far };
}

test('a call is answered with the parsed result', async () => {
  const { client } = connect({ 'app.info': async () => ({ version: '1.2.3', shell: 'web' }) });
  expect(await client.call('app.info', {})).toEqual({ version: '1.2.3', shell: 'web' });
});

test('an error crosses with its code, hint and issues', async () => {
  const issue = { code: 'data.mismatch', severity: 'error' as const, message: 'no x', node: 'x' };
  const { client } = connect({
    'data.detach': async () => {
      throw new WhittleError('data.mismatch', 'They differ.', { hint: 'Rename it.', issues: [issue] });
    },
  });
  const error = await client.call('data.detach', { projectId: 'p' }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(WhittleError);
  expect(error).toMatchObject({
    code: 'data.mismatch',
    message: 'They differ.',
    hint: 'Rename it.',
    issues: [issue],
  });
});

test('what is not a WhittleError becomes internal', async () => {
  const { client } = connect({ 'data.detach': () => Promise.reject(new TypeError('x is not a function')) });
  await expect(client.call('data.detach', { projectId: 'p' })).rejects.toMatchObject({
    code: 'internal',
    message: 'x is not a function',
  });
});

test('wrong parameters are refused before they are sent', async () => {
  const { client, near } = connect({});
  const post = vi.spyOn(near, 'post');
  await expect(client.call('data.attach', { projectId: 'p', refs: [] })).rejects.toThrow('data.attach');
  expect(post).not.toHaveBeenCalled();
});

test.each([
  ['unknown call', { t: 'call', id: 7, name: 'no.such', params: {} }, 'no.such'],
  ['prototype name', { t: 'call', id: 7, name: 'constructor', params: {} }, 'constructor'],
  ['wrong parameters', { t: 'call', id: 7, name: 'job.cancel', params: { jobId: 3 } }, 'job.cancel'],
])('the server answers a client of another make: %s', async (_name, message, named) => {
  const [near, far] = createWirePair();
  createServer(handlersOf({})).attach(far);
  const answer = new Promise((resolve) => near.onMessage(resolve));
  near.post(message);
  expect(await answer).toMatchObject({ t: 'error', id: 7, error: { code: 'usage' } });
  expect(JSON.stringify(await answer)).toContain(named);
});

test('a result that is not of the contract is an error on the server', async () => {
  const { client } = connect({ 'app.info': async () => ({ version: 3, shell: 'web' }) as never });
  await expect(client.call('app.info', {})).rejects.toMatchObject({ code: 'internal' });
});

test('garbage is dropped and the connection lives on', async () => {
  const { client, near, far } = connect({ 'app.info': async () => ({ version: '1', shell: 'web' }) });
  for (const garbage of [null, 1, 'x', [], { t: 'call' }, { t: 'ok' }]) {
    near.post(garbage);
    far.post(garbage);
  }
  expect(await client.call('app.info', {})).toMatchObject({ version: '1' });
});

test('cancelling rejects at once and aborts the handler', async () => {
  let seen: AbortSignal | undefined;
  const { client } = connect({
    'data.detach': (_params, { signal }) => {
      seen = signal;
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const call = client.call('data.detach', { projectId: 'p' }, { signal: controller.signal });
  await vi.waitFor(() => expect(seen).toBeDefined());
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'job.cancelled' });
  await vi.waitFor(() => expect(seen?.aborted).toBe(true));
});

test('a client that goes away cancels its calls; its pending calls fail', async () => {
  let seen: AbortSignal | undefined;
  const { client, near } = connect({
    'data.detach': (_params, { signal }) => {
      seen = signal;
      return new Promise(() => {});
    },
  });
  const call = client.call('data.detach', { projectId: 'p' });
  await vi.waitFor(() => expect(seen).toBeDefined());
  near.close?.();
  await expect(call).rejects.toMatchObject({ code: 'job.crashed' });
  expect(seen?.aborted).toBe(true);
  await expect(client.call('app.info', {})).rejects.toMatchObject({ code: 'job.crashed' });
});

test('events reach those who listen, checked on both sides', async () => {
  const { client, server } = connect({});
  const heard: unknown[] = [];
  const stop = client.on('log', (line) => heard.push(line));
  const line = { time: '2026-01-01T00:00:00Z', level: 'info' as const, message: 'hello' };
  server.emit('log', line);
  await vi.waitFor(() => expect(heard).toEqual([line]));
  expect(() => server.emit('log', { ...line, level: 'loud' as 'info' })).toThrow();
  stop();
  server.emit('log', line);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toHaveLength(1);
});

test('a reset fails the calls under way and keeps the wire', async () => {
  const { client, far } = connect({
    'data.detach': () => new Promise(() => {}),
    'app.info': async () => ({ version: '1', shell: 'web' }),
  });
  const call = client.call('data.detach', { projectId: 'p' });
  const resets: string[] = [];
  client.onReset((error) => resets.push(error.message));
  far.post({ t: 'reset', error: { code: 'job.crashed', message: 'The core crashed.', issues: [] } });
  await expect(call).rejects.toMatchObject({ code: 'job.crashed', message: 'The core crashed.' });
  expect(resets).toEqual(['The core crashed.']);
  expect(await client.call('app.info', {})).toMatchObject({ version: '1' });
});

test('a hub keeps its clients apart', async () => {
  const [host, core] = createWirePair();
  const accepted: { got: unknown[]; closed: boolean }[] = [];
  serveHub(core, (wire) => {
    const client = { got: [] as unknown[], closed: false };
    accepted.push(client);
    wire.onMessage((message) => {
      client.got.push(message);
      wire.post({ echo: message });
    });
    wire.onClose(() => {
      client.closed = true;
    });
  });
  const back: unknown[] = [];
  host.onMessage((message) => back.push(message));
  host.post({ client: 1, kind: 'open' });
  host.post({ client: 2, kind: 'open' });
  host.post({ client: 2, kind: 'data', data: 'two' });
  host.post({ client: 3, kind: 'data', data: 'nobody' });
  host.post({ client: 1, kind: 'close' });
  await vi.waitFor(() => expect(accepted[0]?.closed).toBe(true));
  expect(accepted.map((client) => client.got)).toEqual([[], ['two']]);
  expect(accepted[1].closed).toBe(false);
  await vi.waitFor(() => expect(back).toEqual([{ client: 2, kind: 'data', data: { echo: 'two' } }]));
});

test('what is posted while a socket connects is sent once it is open', () => {
  const sent: string[] = [];
  const opens = new Listeners<void>();
  const socket: SocketLike & { readyState: number } = {
    readyState: 0,
    send: (text) => sent.push(text),
    close: () => {},
    addEventListener: (type: string, listener: never) => {
      if (type === 'open') opens.add(listener);
    },
    removeEventListener: () => {},
  };
  const wire = createWebSocketWire(socket);
  wire.post({ a: 1 });
  expect(sent).toEqual([]);
  socket.readyState = 1;
  opens.tell();
  wire.post({ b: 2 });
  expect(sent).toEqual(['{"a":1}', '{"b":2}']);
  socket.readyState = 3;
  wire.post({ c: 3 });
  expect(sent).toHaveLength(2);
});

test('endpoints carry the token of the page', () => {
  const endpoints = webEndpoints({ origin: 'http://127.0.0.1:4000', search: '?token=abc' });
  expect(endpoints.rpcUrl).toBe('ws://127.0.0.1:4000/rpc?token=abc');
  expect(endpoints.uploadUrl({ id: 'i', path: 'a b/c.png' })).toBe(
    'http://127.0.0.1:4000/upload?id=i&path=a+b%2Fc.png&token=abc',
  );
  expect(endpoints.downloadUrl('/download/T')).toBe('http://127.0.0.1:4000/download/T?token=abc');
});
