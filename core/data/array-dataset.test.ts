import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WhittleError } from '../contract/errors.ts';
import { toFloat32, toNumbers } from '../ir/tensor.ts';
import { openNpzEntry } from './array-source.ts';
import { npy, npyWithHeader, npz, ramp } from './fixtures/make-arrays.ts';
import { openDataset } from './open-dataset.ts';
import type { InputSpec } from './sample-spec.ts';
import { openZip } from './zip-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-data-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const picture: InputSpec = { name: 'image', dtype: 'float32', shape: [1, 2, 2, 1] };

interface Accepted {
  name: string;
  inputs: InputSpec[];
  arrays: Record<string, Uint8Array>;
  expected: Record<string, number[]>;
  index?: number;
}

const accepted: Accepted[] = [
  {
    name: 'an array by the input name',
    inputs: [picture],
    arrays: { image: npy('<f4', [3, 2, 2, 1], ramp(12)) },
    index: 2,
    expected: { image: [8, 9, 10, 11] },
  },
  {
    name: 'x for the only input',
    inputs: [picture],
    arrays: { x: npy('<f4', [3, 2, 2, 1], ramp(12)) },
    index: 1,
    expected: { image: [4, 5, 6, 7] },
  },
  {
    name: 'the whole shape, batch axis included',
    inputs: [picture],
    arrays: { x: npy('<f4', [3, 1, 2, 2, 1], ramp(12)) },
    index: 1,
    expected: { image: [4, 5, 6, 7] },
  },
  {
    name: 'a fixed batch of two is the sample',
    inputs: [{ name: 'pair', dtype: 'float32', shape: [2, 2] }],
    arrays: { pair: npy('<f4', [3, 2, 2], ramp(12)) },
    index: 1,
    expected: { pair: [4, 5, 6, 7] },
  },
  {
    name: 'scalar, state and audio together, names of TensorFlow',
    inputs: [
      { name: 'a/audio:0', dtype: 'float32', shape: [1, 2] },
      { name: 'rate', dtype: 'int64', shape: [] },
      { name: 'state', dtype: 'float32', shape: [2, 1, 2] },
    ],
    arrays: {
      'serving_default_a/audio:0': npy('<f4', [2, 2], ramp(4)),
      rate: npy('<i8', [2], BigInt64Array.of(16000n, 8000n)),
      state: npy('<f4', [2, 2, 1, 2], ramp(8)),
    },
    index: 1,
    expected: { 'a/audio:0': [2, 3], rate: [8000], state: [4, 5, 6, 7] },
  },
  {
    name: 'bytes become floats',
    inputs: [picture],
    arrays: { x: npy('|u1', [1, 2, 2, 1], Uint8Array.of(0, 1, 128, 255)) },
    expected: { image: [0, 1, 128, 255] },
  },
  {
    name: 'float64 and big-endian',
    inputs: [picture],
    arrays: { x: npy('>f8', [1, 2, 2, 1], bigEndianDoubles([1, -2, 0.5, 3])) },
    expected: { image: [1, -2, 0.5, 3] },
  },
  {
    name: 'column-major order',
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3] }],
    arrays: { x: npy('<f4', [2, 3], Float32Array.of(0, 3, 1, 4, 2, 5), true) },
    index: 1,
    expected: { x: [3, 4, 5] },
  },
  {
    name: 'int64 tokens for an int32 input',
    inputs: [{ name: 'ids', dtype: 'int32', shape: [1, 2] }],
    arrays: { ids: npy('<i8', [1, 2], BigInt64Array.of(7n, -9n)) },
    expected: { ids: [7, -9] },
  },
];

describe.each([true, false])('deflated: %s', (deflated) => {
  test.each(accepted)('$name', async ({ name, inputs, arrays, expected, index = 0 }) => {
    const dataset = await openDataset(
      await file(`${name.length}-${deflated}.npz`, npz(arrays, deflated)),
      inputs,
    );
    const feeds = await dataset.sample(index);
    for (const input of inputs) {
      expect(feeds[input.name].shape).toEqual(input.shape);
      expect(feeds[input.name].dtype).toBe(input.dtype);
      expect(toNumbers(feeds[input.name])).toEqual(expected[input.name]);
    }
    await dataset.close();
  });
});

const labelCases = [
  { name: 'one per sample', y: npy('<i8', [3], BigInt64Array.of(2n, 0n, 1n)), labels: [2, 0, 1] },
  { name: 'a column', y: npy('|u1', [3, 1], Uint8Array.of(2, 0, 1)), labels: [2, 0, 1] },
  { name: 'whole floats', y: npy('<f4', [3], Float32Array.of(2, 0, 1)), labels: [2, 0, 1] },
  { name: 'one-hot', y: npy('<f4', [3, 3], Float32Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0)), labels: [2, 0, 1] },
  { name: 'regression', y: npy('<f4', [3], Float32Array.of(2.5, 0, 1)), labels: undefined },
  { name: 'masks', y: npy('<f4', [3, 2, 2], ramp(12)), labels: undefined },
];

test.each(labelCases)('labels: $name', async ({ y, labels }) => {
  const arrays = { x: npy('<f4', [3, 2, 2, 1], ramp(12)), y };
  const dataset = await openDataset(await file('labels.npz', npz(arrays)), [picture]);
  expect(dataset.labels && [...dataset.labels]).toEqual(labels);
  expect(dataset.issues.map((issue) => issue.severity)).toEqual(labels ? [] : ['info']);
  await dataset.close();
});

interface Refused {
  name: string;
  inputs?: InputSpec[];
  arrays: Record<string, Uint8Array>;
  says: string[];
  issues?: number;
}

const refused: Refused[] = [
  {
    name: 'another name',
    arrays: { pixels: npy('<f4', [3, 2, 2, 1], ramp(12)) },
    says: ['image float32 [1, 2, 2, 1]', 'pixels float32 [3, 2, 2, 1]'],
  },
  {
    name: 'another shape',
    arrays: { x: npy('<f4', [3, 2, 2], ramp(12)) },
    says: ['float32 [1, 2, 2, 1]', '[2, 2] per sample'],
  },
  {
    name: 'another type',
    arrays: { x: npy('<i4', [1, 2, 2, 1], Int32Array.of(1, 2, 3, 4)) },
    says: ['takes float32', 'holds int32'],
  },
  {
    name: 'everything at once',
    inputs: [
      { name: 'a', dtype: 'float32', shape: [1, 2] },
      { name: 'b', dtype: 'int32', shape: [1, 2] },
      { name: 'c', dtype: 'float32', shape: [1, 2] },
    ],
    arrays: { a: npy('<f4', [2, 3], ramp(6)), b: npy('<f4', [3, 2], ramp(6)) },
    says: ['no array for c', '[3] per sample', 'takes int32', 'a 2, b 3'],
    issues: 4,
  },
  { name: 'no samples', arrays: { x: npy('<f4', [0, 2, 2, 1], ramp(0)) }, says: ['no samples'] },
  {
    name: 'labels of another count',
    arrays: { x: npy('<f4', [3, 2, 2, 1], ramp(12)), y: npy('|u1', [2], Uint8Array.of(1, 2)) },
    says: ['2 labels for 3 samples'],
  },
];

test.each(refused)('refused: $name', async ({ inputs = [picture], arrays, says, issues = 1 }) => {
  const error = await openDataset(await file('refused.npz', npz(arrays)), inputs).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(WhittleError);
  expect((error as WhittleError).code).toBe('data.mismatch');
  expect((error as WhittleError).issues).toHaveLength(issues);
  for (const text of says) expect((error as WhittleError).message).toContain(text);
});

test('a value that does not fit is named', async () => {
  const arrays = { ids: npy('<i8', [1, 1], BigInt64Array.of(2n ** 40n)) };
  const dataset = await openDataset(await file('wide.npz', npz(arrays)), [
    { name: 'ids', dtype: 'int32', shape: [1, 1] },
  ]);
  await expect(dataset.sample(0)).rejects.toThrow('1099511627776 does not fit int32');
  await dataset.close();
});

const npyHeader = (descr: string, shape: string): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
const huge = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0xff, 0xff, 0xff, 0x7f]);

const hostile = [
  { name: 'pickled objects', bytes: npyWithHeader(npyHeader("'|O'", '(1,)'), Buffer.alloc(8)), says: '|O' },
  {
    name: 'records',
    bytes: npyWithHeader(npyHeader("[('a', '<f4')]", '(1,)'), Buffer.alloc(4)),
    says: 'records',
  },
  {
    name: 'a shape beyond any file',
    bytes: npyWithHeader(npyHeader("'<f4'", '(999999999999, 999999999999)'), Buffer.alloc(4)),
    says: 'beyond any file',
  },
  {
    name: 'a shape larger than the file',
    bytes: npyWithHeader(npyHeader("'<f4'", '(1000000, 4)'), Buffer.alloc(4)),
    says: 'cut off',
  },
  {
    name: 'a negative dimension',
    bytes: npyWithHeader(npyHeader("'<f4'", '(-1,)'), Buffer.alloc(4)),
    says: '"-1"',
  },
  { name: 'a header of 2 GB', bytes: huge, says: 'claims' },
  { name: 'a cut preamble', bytes: Buffer.from([0x93, 0x4e]), says: 'begin' },
  {
    name: 'code in the header',
    bytes: npyWithHeader("__import__('os').system('x')", Buffer.alloc(4)),
    says: 'NumPy header',
  },
  { name: 'not an array', bytes: Buffer.from('hello, this is a text file'), says: 'begin' },
];

test.each(hostile)('hostile .npy: $name', async ({ bytes, says }) => {
  const error = await openDataset(await file('hostile.npy', bytes), [picture]).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'data.unreadable' });
  expect((error as Error).message).toContain(says);
});

test('a zip bomb is refused without being inflated', async () => {
  const good = npz({ x: npy('<f4', [1, 2, 2, 1], ramp(4)) });
  const bomb = Buffer.from(
    npz({ x: Buffer.concat([npy('<f4', [1, 2, 2, 1], ramp(4)), Buffer.alloc(32 << 20)]) }),
  );
  await expect(openDataset(await file('bomb.npz', bomb), [picture])).rejects.toThrow('declares shape');
  // The directory lies about the size, so that the declared size is that of the header.
  const at = bomb.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  bomb.writeUInt32LE(Buffer.from(npy('<f4', [1, 2, 2, 1], ramp(4))).length, at + 24);
  const error = openDataset(await file('liar.npz', bomb), [picture]).then((dataset) => dataset.sample(0));
  await expect(error).rejects.toThrow('more than');
  await expect(openDataset(await file('cut.npz', good.subarray(0, 90)), [picture])).rejects.toThrow(
    'directory',
  );
  await expect(openDataset(await file('empty.npz', Buffer.alloc(0)), [picture])).rejects.toMatchObject({
    code: 'data.unreadable',
  });
});

test('a large deflated array is streamed: forward, backward, in any order', async () => {
  const rows = 70;
  const width = 256 * 1024;
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) data.fill(row, row * width, (row + 1) * width);
  const zip = await openZip(await file('large.npz', npz({ x: npy('<f4', [rows, width], data) })));
  const source = await openNpzEntry(zip, zip.entries[0], 'x');
  for (const row of [0, 1, 5, 69, 3, 3, 68]) {
    const values = toFloat32({ dtype: 'float32', shape: [width], bytes: await source.row(row) });
    expect([values[0], values[width - 1]]).toEqual([row, row]);
  }
  expect(() => source.all()).toThrow('held in memory');
  await source.close();
  await zip.close();
});

test('several files: arrays beside their labels', async () => {
  const x = npy('<f4', [3, 2, 2, 1], ramp(12));
  const labels = await file('labels.npy', npy('|u1', [3], Uint8Array.of(1, 0, 2)));
  for (const data of [await file('samples.npz', npz({ image: x })), await file('data.npy', x)]) {
    const dataset = await openDataset([labels, data], [picture]);
    expect([...dataset.labels!]).toEqual([1, 0, 2]);
    expect(toNumbers((await dataset.sample(2)).image)).toEqual([8, 9, 10, 11]);
    await dataset.close();
  }
});

test('what is not there, or of no known kind, is named', async () => {
  await expect(openDataset(join(folder, 'nothing.npz'), [picture])).rejects.toMatchObject({
    code: 'file.not-found',
  });
  await expect(openDataset(await file('x.parquet', Buffer.alloc(9)), [picture])).rejects.toThrow('x.parquet');
});

function bigEndianDoubles(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => {
    bytes.writeDoubleBE(value, i * 8);
  });
  return bytes;
}
