import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Preprocess } from '../contract/views.ts';
import type { DType } from '../ir/dtype.ts';
import { toFloat32, toNumbers } from '../ir/tensor.ts';
import { describeDataset, previewSamples } from './describe.ts';
import { npy, npz, ramp } from './fixtures/make-arrays.ts';
import { compareNames } from './folder.ts';
import { openDataset } from './open-dataset.ts';
import { proposeShapes } from './sample-shapes.ts';
import { decodeWav } from './wav.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-folders-'));
  await put('pictures/cat/1.png', await png([255, 0, 0]));
  await put('pictures/cat/2.png', await png([0, 255, 0]));
  await put('pictures/dog/10.png', await png([10, 20, 30]));
  await put('pictures/.cache/x.png', Buffer.from('not a picture'));
  await put('digits/7/a.png', await png([255, 255, 255]));
  await put('digits/2/a.png', await png([0, 0, 0]));
  await put('arrays/0.npy', npy('<f4', [2, 2, 3], ramp(12)));
  await put(
    'arrays/1.npy',
    npy(
      '<f4',
      [1, 2, 2, 3],
      ramp(12).map((v) => v + 100),
    ),
  );
  await put('unlike/a.png', await png([1, 2, 3]));
  await put('unlike/b.png', await png([1, 2, 3], 4, 2));
  await put('rows.npz', npz({ 'serving_default_x:0': npy('<f4', [4, 2, 3], ramp(24)) }));
  await put('sounds/yes/a.wav', wav(1, 16, [0, 16384, -32768, 32767]));
  await put('sounds/no/b.wav', wav(2, 16, [100, 300, 0, 0, 0, 0, -2, -4]));
});
afterAll(() => rm(folder, { recursive: true }));

async function put(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

function png([r, g, b]: [number, number, number], width = 2, height = 2): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

function wav(channels: number, bits: number, values: number[]): Buffer {
  const data = Buffer.alloc((values.length * bits) / 8);
  values.forEach((value, i) => {
    data.writeIntLE(value, (i * bits) / 8, bits / 8);
  });
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(16000, 24);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

const input = (shape: number[], dtype: DType = 'float32') => [{ name: 'x', dtype, shape }];
const repeat = (pixel: number[]): number[] => [...pixel, ...pixel, ...pixel, ...pixel];

interface PictureCase {
  name: string;
  shape: number[];
  dtype?: DType;
  preprocess?: Partial<Preprocess>;
  expected: number[];
}

const pictureCases: PictureCase[] = [
  { name: 'as it is', shape: [1, 2, 2, 3], expected: repeat([10, 20, 30]) },
  { name: 'bytes for a byte input', shape: [1, 2, 2, 3], dtype: 'uint8', expected: repeat([10, 20, 30]) },
  { name: 'bgr', shape: [1, 2, 2, 3], preprocess: { colour: 'bgr' }, expected: repeat([30, 20, 10]) },
  {
    name: 'channels first',
    shape: [1, 3, 2, 2],
    expected: [10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30, 30],
  },
  {
    name: 'mean and scale',
    shape: [1, 2, 2, 3],
    preprocess: { mean: [10, 0, 0], scale: [2] },
    expected: repeat([0, 10, 15]),
  },
  { name: 'resized', shape: [1, 1, 1, 3], expected: [10, 20, 30] },
  { name: 'without batch axis', shape: [2, 2, 3], expected: repeat([10, 20, 30]) },
];

test.each(pictureCases)('pictures: $name', async ({ shape, dtype, preprocess, expected }) => {
  const dataset = await openDataset(join(folder, 'pictures'), input(shape, dtype), preprocess as Preprocess);
  expect(dataset.count).toBe(3);
  const { x } = await dataset.sample(2);
  expect(x.shape).toEqual(shape);
  expect(toNumbers(x)).toEqual(expected);
});

test('sub-folders are labels; numbers mean themselves', async () => {
  const pets = await openDataset(join(folder, 'pictures'), input([1, 2, 2, 3]));
  expect([...pets.labels!]).toEqual([0, 0, 1]);
  expect(pets.classNames).toEqual(['cat', 'dog']);
  const digits = await openDataset(join(folder, 'digits'), input([1, 2, 2, 1]));
  expect([...digits.labels!]).toEqual([2, 7]);
  expect(toNumbers((await digits.sample(1)).x)).toEqual([255, 255, 255, 255]);
});

test('padding keeps the shape of the picture, cropping cuts it', async () => {
  const wide = await put('wide.png', await png([200, 200, 200], 8, 4));
  const shape = input([1, 4, 4, 1]);
  const column = async (fit: Preprocess['fit']) => {
    const dataset = await openDataset(wide, shape, { fit } as Preprocess);
    const values = toNumbers((await dataset.sample(0)).x);
    return [0, 4, 8, 12].map((at) => Math.round(values[at] / 100));
  };
  expect(await column('stretch')).toEqual([2, 2, 2, 2]);
  expect(await column('crop')).toEqual([2, 2, 2, 2]);
  expect(await column('pad')).toEqual([0, 2, 2, 0]);
});

const wrongPictures: { name: string; shape: number[]; preprocess?: Partial<Preprocess>; says: string }[] = [
  { name: 'no picture input', shape: [1, 10], says: 'float32 [1, 10]' },
  { name: 'size', shape: [1, 2, 2, 3], preprocess: { size: [4, 4] }, says: '4 × 4' },
  { name: 'mean per channel', shape: [1, 2, 2, 3], preprocess: { mean: [1, 2] }, says: 'mean has 2 values' },
  { name: 'scale 0', shape: [1, 2, 2, 3], preprocess: { scale: [0] }, says: 'scale has a 0' },
  { name: 'layout', shape: [1, 2, 2, 3], preprocess: { layout: 'NCHW' }, says: 'NCHW' },
];
test.each(wrongPictures)('pictures refused: $name', async ({ shape, preprocess, says }) => {
  const opening = openDataset(join(folder, 'pictures'), input(shape), preprocess as Preprocess);
  await expect(opening).rejects.toMatchObject({ code: 'data.mismatch' });
  await expect(opening).rejects.toThrow(says);
});

test('a damaged picture is named', async () => {
  const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  const path = await put('broken/cut.jpg', whole.subarray(0, whole.length / 2));
  const dataset = await openDataset(dirname(path), input([1, 8, 8, 3]));
  await expect(dataset.sample(0)).rejects.toMatchObject({ code: 'data.unreadable' });
  await expect(dataset.sample(0)).rejects.toThrow('cut.jpg');
});

test('a folder of .npy: one file, one sample', async () => {
  const dataset = await openDataset(join(folder, 'arrays'), input([1, 2, 2, 3]));
  expect([dataset.kind, dataset.count]).toEqual(['npy-folder', 2]);
  expect(toFloat32((await dataset.sample(1)).x)[0]).toBe(100);
  await expect(openDataset(join(folder, 'arrays'), input([1, 4, 4, 3]))).rejects.toThrow(
    '0.npy is float32 [2, 2, 3]',
  );
});

test('a folder of .wav', async () => {
  const dataset = await openDataset(join(folder, 'sounds'), input([1, 4]));
  expect(dataset.classNames).toEqual(['no', 'yes']);
  expect(toNumbers((await dataset.sample(1)).x)).toEqual([0, 0.5, -1, 32767 / 32768]);
  expect(toNumbers((await dataset.sample(0)).x)).toEqual([200 / 32768, 0, 0, -3 / 32768]);
  await expect(openDataset(join(folder, 'sounds'), input([1, 8000]))).rejects.toThrow(
    'takes 8000 sound samples',
  );
});

test('WAV with 24 bits, and what is refused', () => {
  expect([...decodeWav(wav(1, 24, [-8388608, 4194304]), 'a').samples]).toEqual([-1, 0.5]);
  const whole = wav(1, 16, [1, 2, 3]);
  expect(() => decodeWav(whole.subarray(0, 46), 'b.wav')).toThrow('b.wav');
  expect(() => decodeWav(Buffer.from('RIFFxxxxWAVE'), 'c')).toThrow('no sound');
  whole.writeUInt16LE(85, 20);
  expect(() => decodeWav(whole, 'd')).toThrow('encoding is 85');
});

test('a .csv with a header, a label column and class names', async () => {
  const path = await put('flowers.csv', Buffer.from('a,label,b\r\n1,rose,2.5\r\n3,"aster",-4\r\n'));
  const dataset = await openDataset(path, input([1, 2]));
  expect([dataset.count, ...dataset.labels!]).toEqual([2, 1, 0]);
  expect(toNumbers((await dataset.sample(1)).x)).toEqual([3, -4]);
  await dataset.close();
  await expect(openDataset(path, input([1, 3]))).rejects.toThrow('2 per row');
  const bad = await put('bad.csv', Buffer.from('1,2\n3,x\n'));
  const opened = await openDataset(bad, input([1, 2]));
  await expect(opened.sample(1)).rejects.toThrow('"x" in row 2, column 2');
  await opened.close();
  await expect(openDataset(await put('r.csv', Buffer.from('1,2\n3\n')), input([1, 2]))).rejects.toThrow(
    'row 2',
  );
});

test('a mixed or an empty folder is refused', async () => {
  await put('mixed/a.png', await png([1, 2, 3]));
  await put('mixed/cat/b.png', await png([1, 2, 3]));
  await expect(openDataset(join(folder, 'mixed'), input([1, 2, 2, 3]))).rejects.toThrow('class folders');
  await mkdir(join(folder, 'empty'));
  await expect(openDataset(join(folder, 'empty'), input([1, 2, 2, 3]))).rejects.toThrow('no images');
});

test('several dropped pictures have no labels', async () => {
  const paths = ['cat/2.png', 'dog/10.png'].map((name) => join(folder, 'pictures', name));
  const dataset = await openDataset(paths, input([1, 2, 2, 3]));
  expect([dataset.count, dataset.labels]).toEqual([2, undefined]);
});

test('a description with labels, balance and range; a preview in true colours', async () => {
  const spec = input([1, 4, 4, 3]);
  const preprocess = { colour: 'bgr', mean: [127.5], scale: [127.5] } as Preprocess;
  const view = await describeDataset(join(folder, 'pictures'), spec, preprocess);
  expect(view).toMatchObject({
    kind: 'images',
    samples: 3,
    labels: [
      { name: 'cat', count: 2 },
      { name: 'dog', count: 1 },
    ],
    inputs: [{ name: 'x', dtype: 'float32', min: -1, max: 1 }],
    preprocess: { size: [4, 4], layout: 'NHWC', colour: 'bgr' },
  });
  const dataset = await openDataset(join(folder, 'pictures'), spec, preprocess);
  const [last] = await previewSamples(dataset, spec, 2, 5);
  expect(last).toMatchObject({ index: 2, label: 'dog' });
  const bytes = Buffer.from(last.image!.replace('data:image/png;base64,', ''), 'base64');
  const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 3)]).toEqual([10, 20, 30]);
});

test.each([
  ['2.png', '10.png', -1],
  ['a10', 'a9', 1],
  ['b', 'a', 1],
  ['a', 'a', 0],
])('order of %s and %s', (a, b, sign) => {
  expect(Math.sign(compareNames(a, b))).toBe(sign);
});

const proposals: [string, string, (number | string)[], number[] | undefined, Preprocess?][] = [
  ['pictures of one size', 'pictures', ['n', 'h', 'w', 3], [1, 2, 2, 3]],
  ['pictures, channels first', 'pictures', ['n', 3, 'h', 'w'], [1, 3, 2, 2]],
  ['the size that is asked for', 'pictures', ['n', 'h', 'w', 3], [1, 5, 7, 3], picture({ size: [5, 7] })],
  ['pictures of several sizes', 'unlike', ['n', 'h', 'w', 3], undefined],
  ['pictures that do not fit', 'pictures', ['n', 'h', 4, 3], undefined],
  ['a folder of arrays', 'arrays', ['n', 'h', 2, 'c'], [1, 2, 2, 3]],
  ['sounds', 'sounds', ['n', 'length'], [1, 4]],
  ['rows of an array', 'rows.npz', [1, 'h', 'w'], [1, 2, 3]],
  ['rows that are whole inputs', 'rows.npz', ['h', 'w'], [2, 3]],
  ['rows of another rank', 'rows.npz', ['n', 'a', 'b', 'c'], undefined],
];

function picture(given: Partial<Preprocess>): Preprocess {
  return { fit: 'stretch', colour: 'rgb', mean: [0], scale: [1], ...given };
}

test.each(proposals)('%s settle open dimensions', async (_name, path, shape, expected, preprocess) => {
  const found = await proposeShapes([join(folder, path)], [{ name: 'x', shape }], preprocess);
  expect(found).toEqual(expected ? { x: expected } : {});
});
