import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EventName, Handlers } from '../contract/api.ts';
import { type ArtifactView, type ProgressView, Recipe } from '../contract/views.ts';
import { npy, npz, ramp } from '../data/fixtures/make-arrays.ts';
import { writeOnnx } from '../formats/onnx/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { inferTypes } from '../ops/registry.ts';
import { createEngines } from '../runtime/engines.ts';
import { inProcessRunner } from './fixtures/in-process-runner.ts';
import { findSample } from './places.ts';
import { ProjectStore } from './project-store.ts';
import { createStudio } from './studio.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-studio-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const context = { signal: new AbortController().signal };
const digits = join(findSample('digits')!, 'digits.h5');

async function start(home: string, shell: 'desktop' | 'web' = 'desktop', uploads?: string) {
  const events: { name: EventName; data: unknown }[] = [];
  const studio = await createStudio({
    home: join(folder, home),
    shell,
    uploads,
    runner: inProcessRunner(createEngines()),
    emit: (name, data) => events.push({ name, data }),
  });
  const progressOf = (jobId: string): ProgressView[] =>
    events.flatMap(({ name, data }) =>
      name === 'progress' && (data as ProgressView).jobId === jobId ? [data as ProgressView] : [],
    );
  const ended = async (handlers: Handlers, jobId: string): Promise<ProgressView> => {
    let view: ProgressView | undefined;
    await vi.waitFor(
      async () => {
        view = (await handlers['job.list']({}, context)).find((job) => job.jobId === jobId);
        expect(['done', 'failed', 'cancelled']).toContain(view?.state);
      },
      { timeout: 20_000, interval: 20 },
    );
    return view!;
  };
  return { ...studio, events, progressOf, ended };
}

test('the main job: open the sample, run precisions, look at the results, take one out', async () => {
  const { handlers, events, progressOf, ended, close } = await start('main');
  const project = await handlers['model.openSample']({}, context);
  expect(project.model?.source).toMatchObject({ format: 'keras-h5' });
  expect(project.data).toMatchObject({ kind: 'npz' });
  expect(project.data!.labels.length).toBe(10);
  const projectId = project.id;

  const estimates = await handlers['optimize.estimate']({ projectId }, context);
  const sizes = Object.fromEntries(estimates.map(({ precision, sizeBytes }) => [precision, sizeBytes]));
  expect(estimates[0].memoryBytes).toBeGreaterThan(100e6);
  expect(sizes.int8).toBeLessThan(sizes.float16);
  expect(sizes.float16).toBeLessThan(sizes.float32);
  expect(estimates.find(({ precision }) => precision === 'int8')?.blocked).toBeUndefined();

  const recipe = Recipe.parse({ precisions: ['float16', 'int8'], samples: 20 });
  await handlers['recipe.set']({ projectId, recipe }, context);
  const { jobId } = await handlers['optimize.start']({ projectId }, context);
  expect(await ended(handlers, jobId)).toMatchObject({ state: 'done', fraction: 1 });

  const fractions = progressOf(jobId).map((view) => view.fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  const arrived = events
    .filter(({ name }) => name === 'artifact')
    .map(({ data }) => (data as { artifact: ArtifactView }).artifact);
  expect(arrived.map(({ id, status }) => [id, status])).toEqual([
    ['float16-float32-tflite', 'ok'],
    ['int8-float32-tflite', 'ok'],
  ]);
  const opened = await handlers['project.open']({ projectId }, context);
  expect(opened.artifacts).toHaveLength(2);
  expect(opened.reference).toMatchObject({
    accuracy: expect.any(Number),
    latency: { medianMs: expect.any(Number) },
  });
  const [ofFloats, ofSamples] = opened.artifacts.map(({ calibration }) => calibration);
  expect(ofFloats).toBeUndefined();
  expect(ofSamples).toMatchObject({ samples: 20, chosen: 'by-class', seed: 0, observer: recipe.calibration });
  expect(ofSamples?.classes.map(({ count }) => count)).toEqual(Array(10).fill(2));
  for (const { path, sizeBytes } of opened.artifacts) expect((await stat(path)).size).toBe(sizeBytes);
  expect(await handlers['project.list']({}, context)).toMatchObject([{ id: projectId, artifacts: 2 }]);

  const artifactId = 'int8-float32-tflite';
  const detail = await handlers['artifact.detail']({ projectId, artifactId }, context);
  expect(detail).toMatchObject({ artifactId, recipe: { samples: 20 } });
  expect(detail.operators.find(({ name }) => name === 'dense_3')).toMatchObject({
    op: 'FullyConnected',
    sqnrDb: expect.any(Number),
    activation: { min: 0, quantized: { dtype: 'int8' } },
  });

  const finding = opened.artifacts
    .find(({ id }) => id === artifactId)!
    .findings!.find(({ id }) => id === 'too-few-samples')!;
  expect(finding.text).toContain('Ranges come from 20 samples.');
  const trial = { artifactId, change: finding.trial!.recipe!, label: 'more samples' };
  const tried = await handlers['optimize.start']({ projectId, trial }, context);
  expect((await ended(handlers, tried.jobId)).state).toBe('done');
  const made = (await handlers['project.open']({ projectId }, context)).artifacts.find((one) => one.label)!;
  expect(made).toMatchObject({ precision: 'int8', label: 'more samples', status: 'ok', findings: [] });
  expect((await handlers['project.open']({ projectId }, context)).recipe.samples).toBe(20);
  await handlers['artifact.remove']({ projectId, artifactId: made.id }, context);

  const weights = await handlers['model.weights']({ projectId, node: 'dense_4/pre' }, context);
  expect(weights.map(({ shape }) => shape)).toEqual([[10, 64], [10]]);
  expect(weights[0].histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(640);
  expect(weights[0].histogram.counts.length).toBeLessThanOrEqual(128);
  await handlers['artifact.remove']({ projectId, artifactId }, context);
  expect((await handlers['project.open']({ projectId }, context)).artifacts).toHaveLength(1);
  const back = await handlers['artifact.restore']({ projectId, artifactId }, context);
  const path = join(folder, 'exported.tflite');
  await handlers['artifact.export']({ projectId, artifactId, path, overwrite: false }, context);
  expect(await readFile(path)).toEqual(await readFile(back.path));
  await expect(
    handlers['artifact.export']({ projectId, artifactId, path, overwrite: false }, context),
  ).rejects.toMatchObject({ code: 'file.exists' });
  await expect(handlers['artifact.download']({ projectId, artifactId }, context)).rejects.toMatchObject({
    code: 'usage',
  });

  const work = join(folder, 'main', 'projects', projectId, 'work');
  expect(await readdir(work).catch(() => [])).toEqual([]);
  await close();
});

test('int8 without samples fails with the reason, float16 beside it is made', async () => {
  const { handlers, ended, close } = await start('no-data');
  const { id: projectId } = await handlers['model.open']({ ref: digits, jobId: 'open-1' }, context);
  const blocked = (await handlers['optimize.estimate']({ projectId }, context)).find(
    (each) => each.precision === 'int8',
  );
  expect(blocked?.blocked).toContain('samples');
  await handlers['recipe.set'](
    { projectId, recipe: Recipe.parse({ precisions: ['int8', 'float16'] }) },
    context,
  );
  const { jobId } = await handlers['optimize.start']({ projectId }, context);
  expect((await ended(handlers, jobId)).state).toBe('done');
  const { artifacts } = await handlers['project.open']({ projectId }, context);
  const byId = Object.fromEntries(artifacts.map((artifact) => [artifact.precision, artifact]));
  expect(byId.int8).toMatchObject({ status: 'failed', path: '', error: { code: 'data.missing' } });
  expect(byId.float16).toMatchObject({ status: 'ok' });
  await expect(
    handlers['artifact.export'](
      { projectId, artifactId: byId.int8.id, path: join(folder, 'x'), overwrite: true },
      context,
    ),
  ).rejects.toMatchObject({ code: 'gate.failed' });
  await close();
});

test('samples that do not fit are refused and nothing is attached', async () => {
  const { handlers, close } = await start('mismatch');
  const { id: projectId } = await handlers['model.open']({ ref: digits, jobId: 'open-1' }, context);
  const table = join(folder, 'table.csv');
  await writeFile(table, '1,2,3\n');
  await expect(handlers['data.attach']({ projectId, refs: [table] }, context)).rejects.toMatchObject({
    code: 'data.mismatch',
  });
  expect((await handlers['project.open']({ projectId }, context)).data).toBeUndefined();
  await close();
});

test('samples that are attached settle what the model leaves open', async () => {
  const { handlers, close } = await start('settled');
  const path = join(folder, 'open.onnx');
  const builder = new GraphBuilder('open', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: ['N', 'steps'] });
  const y = builder.one('Relu', [x], {}, { name: 'y' });
  await writeFile(path, writeOnnx(builder.finish([y.id], { format: 'onnx', opset: 13 })));
  const { id: projectId, model } = await handlers['model.open']({ ref: path, jobId: 'open-1' }, context);
  expect(model!.graph.dynamicDims).toEqual(['x[1]: steps']);
  const samples = join(folder, 'settling.npz');
  await writeFile(samples, npz({ x: npy('<f4', [2, 5], ramp(10)) }));
  await handlers['data.attach']({ projectId, refs: [samples] }, context);
  const settled = await handlers['project.open']({ projectId }, context);
  expect(settled).toMatchObject({ data: { samples: 2 }, recipe: { shapes: { x: [1, 5] } } });
  expect(settled.model!.graph.dynamicDims).toEqual([]);
  await close();
});

test('a cancelled job is told as cancelled and leaves nothing', async () => {
  const { handlers, ended, close } = await start('cancel');
  const { id: projectId } = await handlers['model.openSample']({}, context);
  const first = await handlers['optimize.start']({ projectId }, context);
  const second = await handlers['optimize.start']({ projectId }, context);
  await handlers['job.cancel']({ jobId: second.jobId }, context);
  expect((await ended(handlers, second.jobId)).state).toBe('cancelled');
  await handlers['job.cancel']({ jobId: first.jobId }, context);
  expect((await ended(handlers, first.jobId)).state).toBe('cancelled');
  await close();
  const projectFolder = join(folder, 'cancel', 'projects', projectId);
  for (const name of ['work', 'journal'])
    expect(await readdir(join(projectFolder, name)).catch(() => [])).toEqual([]);
});

test('what a crashed core left is put in order, and its job told as failed', async () => {
  const first = await start('crash');
  const { id: projectId } = await first.handlers['model.openSample']({}, context);
  await first.close();
  const store = new ProjectStore(join(folder, 'crash'));
  const half = store.workFolder(projectId, 'job-9');
  await mkdir(half, { recursive: true });
  await writeFile(join(half, 'half.tflite'), 'half');
  const view = {
    jobId: 'job-9',
    projectId,
    kind: 'optimize' as const,
    title: 'Optimize',
    stage: 'int8: verifying',
    fraction: 0.4,
  };
  await store.beginJob({ ...view, state: 'running' });

  const { handlers, events, close } = await start('crash');
  expect(await handlers['job.list']({}, context)).toEqual([
    { ...view, state: 'failed', error: expect.objectContaining({ code: 'job.crashed' }) },
  ]);
  expect(events.map(({ name }) => name)).toContain('progress');
  await expect(stat(half)).rejects.toThrow();
  expect((await handlers['project.open']({ projectId }, context)).model).toBeDefined();
  await close();
  const again = await start('crash');
  expect(await again.handlers['job.list']({}, context)).toEqual([]);
  await again.close();
});

test('a damaged project is passed over; ids cannot leave the folder', async () => {
  const { handlers, close } = await start('damaged');
  const { id } = await handlers['model.open']({ ref: digits, jobId: 'open-1' }, context);
  const broken = join(folder, 'damaged', 'projects', 'broken');
  await mkdir(broken, { recursive: true });
  await writeFile(join(broken, 'project.json'), '{"schema": "whittle.project/1"');
  expect((await handlers['project.list']({}, context)).map((project) => project.id)).toEqual([id]);
  for (const projectId of ['..', '../..', 'a/b', '', 'broken', 'no-such']) {
    await expect(handlers['project.open']({ projectId }, context)).rejects.toMatchObject({
      code: 'file.not-found',
    });
    await expect(handlers['project.remove']({ projectId }, context)).rejects.toMatchObject({
      code: 'file.not-found',
    });
  }
  await handlers['project.remove']({ projectId: id }, context);
  expect(await handlers['project.list']({}, context)).toEqual([]);
  await close();
});

test('an uploaded model becomes the project’s own', async () => {
  const uploads = join(folder, 'uploads');
  await mkdir(join(uploads, 'abc'), { recursive: true });
  await writeFile(join(uploads, 'abc', 'mine.h5'), await readFile(digits));
  const { handlers, close } = await start('uploaded', 'web', uploads);
  const { model, name } = await handlers['model.open']({ ref: 'upload:abc', jobId: 'open-1' }, context);
  expect(name).toBe('mine.h5');
  expect(model!.source.path).toContain(join('uploaded', 'projects'));
  expect(await readdir(uploads)).toEqual([]);
  await expect(handlers['model.open']({ ref: digits, jobId: 'open-2' }, context)).rejects.toMatchObject({
    code: 'usage',
  });
  await expect(handlers['model.open']({ ref: 'upload:abc', jobId: 'open-3' }, context)).rejects.toMatchObject(
    {
      code: 'file.not-found',
    },
  );
  await close();
});

test('opening what is no model tells so under the job', async () => {
  const { handlers, progressOf, close } = await start('bad');
  const path = join(folder, 'note.onnx');
  await writeFile(path, 'this is a shopping list');
  await expect(handlers['model.open']({ ref: path, jobId: 'open-1' }, context)).rejects.toMatchObject({
    code: expect.stringMatching(/^format\./),
  });
  expect(progressOf('open-1').at(-1)).toMatchObject({ state: 'failed', kind: 'open' });
  expect(await handlers['project.list']({}, context)).toEqual([]);
  await close();
});
