/** TF.js models that are not whole, or that reach for files that are not theirs. */
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { readModel } from '../open-model.ts';

interface Weight {
  name: string;
  dtype: string;
  shape: number[];
  quantization?: Record<string, unknown>;
}

interface Manifest {
  weightsManifest: { paths: string[]; weights: Weight[] }[];
  modelTopology?: unknown;
}

const fixtures = fileURLToPath(new URL('../graphdef/fixtures/', import.meta.url));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-tfjs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function problemsAfter(edit: (model: Manifest, path: string) => unknown): Promise<string[]> {
  const path = join(folder, 'model');
  await rm(path, { recursive: true, force: true });
  await cp(join(fixtures, 'cnn_tfjs'), path, { recursive: true });
  const file = join(path, 'model.json');
  const model = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  await edit(model, path);
  await writeFile(file, JSON.stringify(model));
  try {
    return (await readModel(path)).issues.map(({ message }) => message);
  } catch (error) {
    if (error instanceof WhittleError) return [error.message];
    throw error;
  }
}

const rows: [string, (model: Manifest, path: string) => unknown, RegExp][] = [
  [
    'a shard that is missing',
    (_, path) => rm(join(path, 'group1-shard2of3.bin')),
    /no file group1-shard2of3.bin/,
  ],
  [
    'a shard that is too short',
    (_, path) => writeFile(join(path, 'group1-shard3of3.bin'), 'x'),
    /needs bytes \d+ to \d+ of/,
  ],
  [
    'a shard above the folder',
    ({ weightsManifest: [group] }) => group.paths.splice(0, 1, '../other.bin'),
    /leaves the model's folder/,
  ],
  [
    'a shard by an absolute path',
    ({ weightsManifest: [group] }) => group.paths.splice(0, 1, '/etc/passwd'),
    /absolute path/,
  ],
  [
    'a shard by an address',
    ({ weightsManifest: [group] }) => group.paths.splice(0, 1, 'https://x.invalid/a.bin'),
    /absolute path/,
  ],
  ['no manifest', (model) => Reflect.deleteProperty(model, 'weightsManifest'), /no weightsManifest/],
  ['no model', (model) => Reflect.deleteProperty(model, 'modelTopology'), /weights without a model/],
  [
    'a weight of an absurd shape',
    ({ weightsManifest: [group] }) => Object.assign(group.weights[0], { shape: [1e9, 1e9] }),
    /has the shape/,
  ],
  [
    'a weight with a negative size',
    ({ weightsManifest: [group] }) => Object.assign(group.weights[0], { shape: [-1] }),
    /has the shape/,
  ],
  [
    'a weight of texts',
    ({ weightsManifest: [group] }) => Object.assign(group.weights[0], { dtype: 'string' }),
    /is of type string/,
  ],
  [
    'a weight that is quantized in another way',
    ({ weightsManifest: [group] }) => Object.assign(group.weights[0], { quantization: { dtype: 'uint4' } }),
    /quantized in an unknown way/,
  ],
  [
    'a weight that is left out',
    ({ weightsManifest: [group] }) => group.weights.pop(),
    /not among the weights/,
  ],
];

describe('a TF.js model is refused for', () => {
  it.each(rows)('%s', async (_, edit, message) => {
    const found = await problemsAfter(edit);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('nothing, when it is whole', async () => {
    expect(await problemsAfter(() => undefined)).toEqual([]);
  });
});

it('is opened by its folder or by model.json, with all shards in its size', async () => {
  const path = join(fixtures, 'layers_tfjs');
  const [byFolder, byFile] = await Promise.all([readModel(path), readModel(join(path, 'model.json'))]);
  expect(byFile.sha256).toBe(byFolder.sha256);
  const { size } = await stat(join(path, 'model.json'));
  expect(byFolder).toMatchObject({ format: 'tfjs', sizeBytes: size + 1154 + 1154 });
  expect(byFolder.graph?.source).toMatchObject({ format: 'tfjs' });
});
