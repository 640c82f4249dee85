import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeError } from '../ir/write-error.ts';
import {
  copyFileAside,
  refuseExisting,
  removeUnfinished,
  writeFileAside,
  writeFileChecked,
} from './safe-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = Buffer.from('model');

test('a file is checked before it has its name', async () => {
  const path = join(folder, 'deep', 'model.tflite');
  const seen = await writeFileChecked(
    path,
    (aside) => writeFile(aside, bytes),
    async (aside) => {
      expect(await readdir(join(folder, 'deep'))).toEqual([expect.stringMatching(/\.partial$/)]);
      return (await readFile(aside)).toString();
    },
  );
  expect(seen).toBe('model');
  expect(await readdir(join(folder, 'deep'))).toEqual(['model.tflite']);
});

test('a file whose check throws is not left, and the check’s own error comes out', async () => {
  const path = join(folder, 'model.tflite');
  await writeFile(path, 'before');
  const broken = new Error('the runtime refused it');
  await expect(
    writeFileChecked(
      path,
      (aside) => writeFile(aside, bytes),
      () => Promise.reject(broken),
    ),
  ).rejects.toBe(broken);
  expect(await readdir(folder)).toEqual(['model.tflite']);
  expect(await readFile(path, 'utf8')).toBe('before');
});

test('a file and what belongs beside it come together, or not at all', async () => {
  const path = join(folder, 'model.onnx');
  const pair = (text: string) => async (aside: string) => {
    await writeFile(aside, text);
    await writeFile(`${aside}.data`, `weights of ${text}`);
  };
  const refuse = () => Promise.reject(new Error('refused'));
  await expect(writeFileChecked(path, pair('a'), refuse)).rejects.toThrow('refused');
  await expect(
    writeFileChecked(
      path,
      async (aside) => {
        await pair('a')(aside);
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
      refuse,
    ),
  ).rejects.toMatchObject({ code: 'file.no-space' });
  expect(await readdir(folder)).toEqual([]);

  await writeFileChecked(path, pair('a'), async (aside) => {
    expect(await readFile(`${aside}.data`, 'utf8')).toBe('weights of a');
    expect(await readdir(folder)).toHaveLength(1);
  });
  await writeFileChecked(path, pair('b'), async () => {});
  expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'model.onnx.data']);
  expect(await readFile(`${path}.data`, 'utf8')).toBe('weights of b');

  await rm(path);
  const kept = writeFileChecked(path, pair('c'), async () => {}, { overwrite: false });
  await expect(kept).rejects.toMatchObject({ code: 'file.exists' });
  expect(await readdir(folder)).toEqual(['model.onnx.data']);
});

test('what is there is not replaced unless asked for, and all of it is named', async () => {
  const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
  await writeFile(paths[0], 'a');
  await writeFile(paths[2], 'c');
  await expect(refuseExisting(paths)).rejects.toMatchObject({ code: 'file.exists' });
  await expect(refuseExisting(paths)).rejects.toThrow(`${paths[0]}, ${paths[2]} are there`);
  await expect(writeFileAside(paths[0], 'new', { overwrite: false })).rejects.toMatchObject({
    code: 'file.exists',
  });
  await copyFileAside(paths[2], paths[0]);
  expect(await readFile(paths[0], 'utf8')).toBe('c');
});

test('a process that must end takes its half-written files away', async () => {
  let reached = (): void => {};
  const inCheck = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let release = (): void => {};
  const writing = writeFileChecked(
    join(folder, 'model'),
    (aside) => writeFile(aside, bytes),
    () => {
      reached();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
  );
  await inCheck;
  removeUnfinished();
  expect(await readdir(folder)).toEqual([]);
  release();
  await expect(writing).rejects.toMatchObject({ code: 'file.unreadable' });
});

test.each([
  ['ENOSPC', 'file.no-space', 'no space left'],
  ['EDQUOT', 'file.no-space', 'no space left'],
  ['EACCES', 'file.unreadable', 'permission is missing'],
  ['EROFS', 'file.unreadable', 'read-only'],
  ['EIO', 'file.unreadable', 'EIO: broken'],
])('%s is told as %s', (code, expected, says) => {
  const error = writeError('/disk/model.tflite', Object.assign(new Error(`${code}: broken`), { code }));
  expect(error.code).toBe(expected);
  expect(error.message).toContain('/disk/model.tflite');
  expect(error.message).toContain(says);
});

test('a folder or a file in the way is named', async () => {
  const path = join(folder, 'taken');
  await mkdir(path);
  await expect(writeFileAside(path, bytes)).rejects.toThrow(/taken cannot be written/);
  await writeFile(join(folder, 'plain'), '');
  await expect(writeFileAside(join(folder, 'plain', 'x'), bytes)).rejects.toThrow(
    /part of the path is a file/,
  );
  expect((await readdir(folder)).sort()).toEqual(['plain', 'taken']);
});
