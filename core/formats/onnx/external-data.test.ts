import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import { contiguous, floatTensor, permute, toNumbers } from '../../ir/tensor.ts';
import { inferTypes } from '../../ops/registry.ts';
import { modelProto } from '../../testing/onnx-model.ts';
import { encode } from '../protobuf/wire.ts';
import { ExternalWeights } from './external-weights.ts';
import { readOnnx, readOnnxBytes } from './reader.ts';
import { modelTable } from './schema.ts';
import { writeOnnx } from './writer.ts';

/** y = x × w with w stored elsewhere. */
function model(entries: Record<string, string>): Uint8Array {
  const proto = modelProto({
    opset: 13,
    inputs: { x: { shape: [1, 2] } },
    constants: { w: floatTensor([2, 1], [0, 0]) },
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    outputs: { y: 'float32' },
  });
  const [w] = proto.graph!.initializer;
  w.rawData = undefined;
  w.dataLocation = 1;
  w.externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return encode(proto, modelTable);
}

const data = new Uint8Array(Float32Array.of(9, 9, 1.5, -2, 9).buffer);
let folder = '';
let outside = '';

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'whittle-external-'));
  folder = join(root, 'model');
  outside = join(root, 'secret.bin');
  await mkdir(join(folder, 'weights'), { recursive: true });
  await writeFile(join(folder, 'weights', 'w.bin'), data);
  await writeFile(outside, data);
  await symlink(outside, join(folder, 'link.bin'));
  await symlink(join(folder, 'weights', 'w.bin'), join(folder, 'inside.bin'));
});

afterAll(() => rm(join(folder, '..'), { recursive: true, force: true }));

async function read(entries: Record<string, string>) {
  const path = join(folder, 'model.onnx');
  await writeFile(path, model(entries));
  return readOnnx(path, {});
}

describe('external data', () => {
  it.each(['weights/w.bin', './weights/w.bin', 'inside.bin'])('is read from %s', async (location) => {
    const { graph, externalBytes } = await read({ location, offset: '8', length: '8' });
    expect(toNumbers(graph!.values.get('w')!.constant!)).toEqual([1.5, -2]);
    expect(externalBytes).toBe(8);
  });

  it.each([
    [
      'leaves the folder',
      () => ({ location: '../secret.bin', offset: '8', length: '8' }),
      /leaves the model's folder/,
    ],
    [
      'leaves it in the middle',
      () => ({ location: 'weights/../../secret.bin' }),
      /leaves the model's folder/,
    ],
    ['is absolute', () => ({ location: outside }), /absolute path/],
    ['is absolute on Windows', () => ({ location: 'C:\\secret.bin' }), /absolute path/],
    [
      'is a link to the outside',
      () => ({ location: 'link.bin', offset: '8', length: '8' }),
      /link that leaves/,
    ],
    ['is missing', () => ({ location: 'none.bin' }), /no file none.bin/],
    ['is a folder', () => ({ location: 'weights' }), /not a file/],
    ['is empty', () => ({ location: '' }), /no location/],
    [
      'is shorter than asked',
      () => ({ location: 'weights/w.bin', offset: '16', length: '8' }),
      /bytes 16 to 24 .* has 20/,
    ],
    ['has a negative offset', () => ({ location: 'weights/w.bin', offset: '-8', length: '8' }), /offset -8/],
    ['has an absurd length', () => ({ location: 'weights/w.bin', length: '99999999999999999999' }), /length/],
  ])('that %s is refused', async (_, entries, message) => {
    const error = await read(entries()).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WhittleError);
    expect((error as WhittleError).code).toBe('model.external-data');
    expect((error as WhittleError).message).toMatch(message);
  });

  it('of the wrong size is named with its tensor', async () => {
    const { issues } = await read({ location: 'weights/w.bin' });
    expect(issues.map((issue) => issue.message)).toEqual([
      'The tensor "w" of type float32 and shape [2, 1] needs 8 bytes; the file has 20.',
    ]);
  });

  it('cannot be reached from bytes in memory', () => {
    expect(() => readOnnxBytes(model({ location: 'weights/w.bin' }), 'm.onnx')).toThrow(
      /other files \("w" first\)/,
    );
  });
});

describe('weights written beside a model', () => {
  it('read back as they were, permuted views too, small ones inline', async () => {
    const builder = new GraphBuilder('g', inferTypes);
    const x = builder.input('x', { dtype: 'float32', shape: [1, 40] });
    const values = Float32Array.from({ length: 1600 }, (_, i) => i);
    const dense = permute(floatTensor([40, 40], values), [1, 0]);
    const product = builder.one('MatMul', [x, builder.constant('w', dense)], {}, { name: 'product' });
    const bias = builder.constant('b', floatTensor([40], values.subarray(0, 40)));
    const graph = builder.finish([builder.one('Add', [product, bias], { activation: 'none' }).id], {
      format: 'onnx',
    });
    const target = await mkdtemp(join(tmpdir(), 'whittle-external-'));
    try {
      const weights = new ExternalWeights('weights.bin');
      await writeFile(join(target, 'model.onnx'), writeOnnx(graph, { external: weights }));
      await writeFile(join(target, weights.location), weights.parts());
      const { graph: read, externalBytes } = await readOnnx(join(target, 'model.onnx'), {});
      expect(externalBytes).toBe(6400);
      const constants = [...read!.values.values()].flatMap(({ constant }) => constant ?? []);
      expect(constants.map(toNumbers)).toEqual([toNumbers(contiguous(dense)), toNumbers(bias.constant!)]);
    } finally {
      await rm(target, { recursive: true });
    }
  });
});
