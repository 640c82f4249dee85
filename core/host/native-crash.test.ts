import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactView, Recipe } from '../contract/views.ts';
import { type Client, createClient } from '../rpc/client.ts';
import { CoreSupervisor } from '../rpc/supervisor.ts';
import { createEngines } from '../runtime/engines.ts';
import { inspectModel } from '../studio/inspect.ts';
import { ProjectStore } from '../studio/project-store.ts';
import { crashingFile } from '../testing/crashing-file.ts';
import { smallFile } from '../testing/tflite-files.ts';
import { forkCore } from './fork-core.ts';

const missing = await createEngines().litert.unavailable();
if (missing) console.warn(`A crash of native LiteRT is not tested: ${missing.reason}; ${missing.hint}`);

let home: string;
let projectId: string;
let supervisor: CoreSupervisor;
let client: Client;

async function adopt(store: ProjectStore, id: string, bytes: Uint8Array): Promise<void> {
  const folder = join(home, 'made');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${id}.tflite`);
  await writeFile(path, bytes);
  const artifact: ArtifactView = {
    id,
    precision: 'int8',
    io: 'int8',
    format: 'tflite',
    path,
    sizeBytes: bytes.byteLength,
    sha256: '',
    operators: {},
    minRuntime: '',
    status: 'ok',
    gates: [],
    warnings: [],
  };
  await store.adopt(projectId, artifact, undefined);
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whittle-crash-'));
  const modelPath = join(home, 'small.tflite');
  await writeFile(modelPath, smallFile());
  const store = new ProjectStore(home);
  projectId = await store.allot();
  const model = await inspectModel(modelPath, { shapes: {} });
  const openedAt = new Date().toISOString();
  await store.save({
    schema: 'whittle.project/1',
    id: projectId,
    name: 'small',
    openedAt,
    modelPath,
    model,
    recipe: Recipe.parse({}),
  });
  await adopt(store, 'crashing', crashingFile());
  await adopt(store, 'good', smallFile());
  const script = fileURLToPath(new URL('./core-process.ts', import.meta.url));
  supervisor = new CoreSupervisor({
    spawn: () => forkCore({ script, env: { ...process.env, WHITTLE_HOME: home, WHITTLE_SHELL: 'desktop' } }),
  });
  client = createClient(supervisor.connect());
});
afterAll(async () => {
  client.close();
  await supervisor.stop();
  await rm(home, { recursive: true });
});

function profile(artifactId: string) {
  const choices = { engine: 'litert', device: 'cpu', threads: 1, perOp: false } as const;
  return client.call('profile.start', { projectId, artifactIds: [artifactId], ...choices });
}

test.skipIf(missing)(
  'a model that crashes LiteRT fails its job with the reason; the next job runs',
  async () => {
    const reset = new Promise<string>((resolve) => client.onReset(({ message }) => resolve(message)));
    const { jobId } = await profile('crashing');
    expect(await reset).toMatch(/SIG(ABRT|SEGV)/);
    const jobs = await client.call('job.list', {});
    expect(jobs.find((job) => job.jobId === jobId)).toMatchObject({
      state: 'failed',
      error: { code: 'job.crashed', hint: expect.stringContaining('runtime') },
    });

    const done = new Promise<string>((resolve) => {
      client.on('progress', ({ state }) => {
        if (state === 'done' || state === 'failed') resolve(state);
      });
    });
    await profile('good');
    expect(await done).toBe('done');
    expect(await client.call('profile.list', { projectId })).toMatchObject([{ artifactId: 'good' }]);
  },
  30_000,
);
