import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WorkerTaskRunner } from './worker-tasks.ts';

/** A worker whose behaviour is told by the `path` of its task. */
const script = `
import { parentPort, threadId } from 'node:worker_threads';
let abort = () => {};
parentPort.on('message', (message) => {
  if (message.t === 'abort') return abort();
  const post = (reply) => parentPort.postMessage(reply);
  const kinds = {
    answer: () => post({ t: 'done', result: threadId }),
    refuse: () => post({ t: 'failed', error: { code: 'data.missing', message: 'no', hint: 'give', issues: [] } }),
    obey: () => { abort = () => post({ t: 'failed', error: { code: 'job.cancelled', message: 'Cancelled.', issues: [] } }); },
    spin: () => { for (;;) {} },
    throw: () => { throw new Error('out of luck'); },
    exit: () => process.exit(7),
    report: () => {
      post({ t: 'progress', update: { stage: 'half', fraction: 0.5 } });
      post({ t: 'done', result: 'reported' });
    },
  };
  kinds[message.params.path]();
});
`;

let folder: string;
let runner: WorkerTaskRunner;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-worker-'));
  const path = join(folder, 'worker.mjs');
  await writeFile(path, script);
  runner = new WorkerTaskRunner(pathToFileURL(path));
});
afterAll(async () => {
  await runner.close();
  await rm(folder, { recursive: true });
});

const never = new AbortController().signal;
const run = (path: string, signal: AbortSignal = never) =>
  runner.run('graph', { path, inputs: {} }, { signal });

test('short tasks share a worker, one after another', async () => {
  const first = await run('answer');
  expect(await run('answer')).toBe(first);
  const [a, b] = await Promise.all([run('answer'), run('answer')]);
  expect(a).not.toBe(b);
});

test('errors cross with code and hint; the worker lives on', async () => {
  await expect(run('refuse')).rejects.toMatchObject({ code: 'data.missing', hint: 'give' });
  expect(await run('report')).toBe('reported');
});

test('progress is heard', async () => {
  const stages: string[] = [];
  await runner.run(
    'inspect',
    { path: 'report', inputs: {} },
    { signal: never, events: { onProgress: ({ stage }) => stages.push(stage) } },
  );
  expect(stages).toEqual(['half']);
});

test.each(['throw', 'exit'])(
  'a worker that is lost (%s) fails its job, and the next one gets a new worker',
  async (path) => {
    await expect(run(path)).rejects.toMatchObject({ code: 'job.crashed' });
    expect(await run('answer')).toBeGreaterThan(0);
  },
);

test.each([
  ['obeys', 'obey', 400],
  ['does not obey', 'spin', 1500],
])('a cancelled task that %s', async (_name, path, withinMs) => {
  const controller = new AbortController();
  const task = run(path, controller.signal);
  const outcome = expect(task).rejects.toMatchObject({ code: 'job.cancelled' });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const start = performance.now();
  controller.abort();
  await outcome;
  expect(performance.now() - start).toBeLessThan(withinMs);
  expect(await run('answer')).toBeGreaterThan(0);
});

test('a task whose signal has fired already is not started', async () => {
  await expect(run('answer', AbortSignal.abort())).rejects.toMatchObject({ code: 'job.cancelled' });
});
