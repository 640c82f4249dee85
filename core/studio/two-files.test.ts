import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Handlers } from '../contract/api.ts';
import { type ArtifactView, Recipe } from '../contract/views.ts';
import { readModel } from '../formats/open-model.ts';
import { createEngines } from '../runtime/engines.ts';
import { inProcessRunner } from './fixtures/in-process-runner.ts';
import { optimize } from './optimize.ts';
import { findSample } from './places.ts';
import { ProjectStore } from './project-store.ts';
import { createStudio } from './studio.ts';

/** An ONNX model above the size of one file, with that size made small. */
const engines = createEngines();
const { signal } = new AbortController();
const source = join(findSample('digits')!, 'digits.h5');
let folder: string;
let artifacts: ArtifactView[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-pair-'));
  const recipe = Recipe.parse({ precisions: ['float32', 'int8'], formats: ['onnx'], samples: 16 });
  const data = { paths: [join(findSample('digits')!, 'samples.npz')] };
  const request = { path: source, recipe, data, outDir: join(folder, 'out'), mostOnnxWeights: 100_000 };
  artifacts = (await optimize(request, { engines, signal })).artifacts;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('weights that one file does not take lie beside the model, and count', async () => {
  const [float, int8] = artifacts;
  expect([float.status, int8.status]).toEqual(['ok', 'ok']);
  expect(int8.data).toBeUndefined();
  expect(float.data?.fileName).toBe('digits_float32.onnx.data');
  expect(float.gates.find(({ id }) => id === 'size')?.ok).toBe(true);
  expect((await readdir(join(folder, 'out'))).sort()).toEqual([
    'digits_float32.onnx',
    'digits_float32.onnx.data',
    'digits_int8.onnx',
  ]);
  const sizes = await Promise.all([float.path, `${float.path}.data`].map((path) => stat(path)));
  expect(float.sizeBytes).toBe(sizes[0].size + sizes[1].size);
  expect(float.data?.sizeBytes).toBe(sizes[1].size);
  expect(sizes[0].size).toBeLessThan(100_000);
});

test('both go into a project and out of it, under another name too', async () => {
  const store = new ProjectStore(folder);
  const handlersOf = async (
    shell: 'desktop' | 'web',
  ): Promise<{ handlers: Handlers; close(): Promise<void> }> =>
    createStudio({
      home: folder,
      shell,
      downloads: folder,
      runner: inProcessRunner(engines),
      emit: () => {},
    });
  const { handlers, close } = await handlersOf('desktop');
  const { id: projectId } = await handlers['model.open']({ ref: source, jobId: 'open-1' }, { signal });
  const { id: artifactId, path, data } = await store.adopt(projectId, artifacts[0], undefined);
  expect(await readdir(join(folder, 'out'))).toEqual(['digits_int8.onnx']);
  expect(await readFile(`${path}.data`)).toHaveLength(data!.sizeBytes);

  const renamed = join(folder, 'mine.onnx');
  const ids = { projectId, artifactId };
  await handlers['artifact.export']({ ...ids, path: renamed, overwrite: false }, { signal });
  const again = await readModel(renamed);
  expect(again.issues).toEqual([]);
  expect(again.parameters).toBe((await readModel(path)).parameters);
  await rm(`${path}.data`);
  await (await engines.ort.open(renamed)).close();
  await expect(
    handlers['artifact.export']({ ...ids, path: join(folder, 'half.onnx'), overwrite: false }, { signal }),
  ).rejects.toMatchObject({ code: 'file.not-found' });
  await close();

  await handlers['artifact.remove'](ids, { signal });
  await store.recover();
  expect(await readdir(join(store.folder(projectId), 'artifacts'))).toEqual([]);
});

test('a browser gets both', async () => {
  const downloads = join(folder, 'tickets');
  const studio = await createStudio({
    home: join(folder, 'web'),
    shell: 'web',
    downloads,
    runner: inProcessRunner(engines),
    emit: () => {},
  });
  const { id: projectId } = await studio.handlers['model.openSample']({}, { signal });
  const recipe = Recipe.parse({ precisions: ['float32'], formats: ['onnx'] });
  const outDir = join(folder, 'again');
  const made = await optimize(
    { path: source, recipe, outDir, mostOnnxWeights: 100_000 },
    { engines, signal },
  );
  const { id: artifactId } = await new ProjectStore(join(folder, 'web')).adopt(
    projectId,
    made.artifacts[0],
    undefined,
  );
  const offer = await studio.handlers['artifact.download']({ projectId, artifactId }, { signal });
  expect([offer.fileName, offer.data?.fileName]).toEqual(['digits_float32.onnx', 'digits_float32.onnx.data']);
  const note = JSON.parse(await readFile(join(downloads, `${basename(offer.data!.url)}.json`), 'utf8'));
  expect(note.path).toMatch(/digits_float32\.onnx\.data$/);
  await studio.close();
});
