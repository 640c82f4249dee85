import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WhittleError } from '../contract/errors.ts';
import { floatTensor } from '../ir/tensor.ts';
import { modelBytes } from '../testing/onnx-model.ts';
import { detectFormat, readModel } from './open-model.ts';

const onnx = modelBytes({
  opset: 13,
  inputs: { x: { shape: [1, 2] } },
  constants: { w: floatTensor([2], [1, 2]) },
  nodes: [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
  outputs: { y: 'float32' },
});

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const zip = (...names: string[]) => zipSync(Object.fromEntries(names.map((name) => [name, strToU8('x')])));
const padded = (offset: number, text: string) => {
  const bytes = new Uint8Array(offset + 600);
  bytes.set(latin1(text), offset);
  return bytes;
};
/** A protobuf field that holds a message of the given length. */
const lengthField = (id: number, length: number) => {
  const tag = id < 16 ? [id * 8 + 2] : [((id * 8 + 2) & 127) | 128, (id * 8 + 2) >> 7];
  return [...tag, (length & 127) | 128, length >> 7, ...new Array<number>(length).fill(10)];
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whittle-formats-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'model.bin');
  await writeFile(path, bytes);
  return path;
}

describe('the format of a file', () => {
  it.each([
    ['onnx', onnx],
    ['onnx', onnx.slice(0, 40)],
    ['tflite', padded(4, 'TFL3')],
    ['keras-h5', padded(0, '\x89HDF\r\n\x1a\n')],
    ['keras-h5', padded(2048, '\x89HDF\r\n\x1a\n')],
    ['keras', zip('metadata.json', 'config.json', 'model.weights.h5')],
    ['tfjs', strToU8('{"format": "graph-model", "modelTopology": {}}')],
    ['savedmodel', Uint8Array.from([8, 1, ...lengthField(2, 1000)])],
    // A node with name "x" (field 1) and operator "Placeholder" (field 2), then the versions (field 4).
    ['graphdef', latin1('\n\x10\n\x01x\x12\x0bPlaceholder"\x02\x08\x17')],
  ])('is %s by its content', async (format, bytes) => {
    expect(await detectFormat(await fileOf(bytes))).toBe(format);
  });

  it.each([
    [new Uint8Array(0), /an empty file/, undefined],
    [strToU8('hello, world\n'), /a text file/, undefined],
    [strToU8('{"a": 1}'), /a JSON file/, undefined],
    [strToU8('<!DOCTYPE html><html>'), /a web page/, /download/],
    [strToU8('version https://git-lfs.github.com/spec/v1\noid sha256:0'), /Git LFS pointer/, /git lfs pull/],
    [latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), /a PNG image/, /--data/],
    [latin1('RIFF\0\0\0\0WEBPVP8 '), /a WebP image/, /--data/],
    [latin1('GGUF\x03\0\0\0'), /GGUF/, undefined],
    [latin1('\x10\0\0\0\0\0\0\0{"a":{"dtype":"F32"}}'), /safetensors/, /torch.onnx.export/],
    [latin1('\x80\x02}q\0X\x05\0\0\0epoch'), /Python pickle/, /torch.onnx.export/],
    [latin1('\x93NUMPY\x01\0v\0{}'), /NumPy array/, /--data/],
    [latin1('\x1f\x8b\x08\0'), /gzip/, /Unpack/],
    [latin1('\x01\xfe\x02\xfd\x99\x88'), /unknown kind/, undefined],
    [zip('archive/data.pkl', 'archive/version'), /PyTorch/, /torch.onnx.export/],
    [zip('x.npy', 'y.npy'), /NumPy archive/, /--data/],
    [zip('docs/a.txt', 'net/model.onnx'), /a zip archive/, /contains net\/model.onnx/],
    [zip('config.json', 'model.weights.h5').slice(0, 60), /cut off/, /Copy the file again/],
    [Uint8Array.from([8, 7, ...lengthField(2, 300), ...lengthField(502, 300)]), /Core ML/, /Keras or ONNX/],
    [Uint8Array.from([...lengthField(1, 300), ...lengthField(1, 300)]), /unknown kind/, undefined],
  ])('that is no model is named (%#)', async (bytes, message, hint) => {
    const error = (await detectFormat(await fileOf(bytes)).catch(
      (reason: unknown) => reason,
    )) as WhittleError;
    expect(error.code).toBe('format.unknown');
    expect(error.message).toMatch(message);
    if (hint) expect(error.hint).toMatch(hint);
  });

  it('of a folder comes from what lies in it', async () => {
    const saved = join(folder, 'saved');
    await mkdir(saved);
    await expect(detectFormat(saved)).rejects.toThrow(/a folder without a model/);
    await writeFile(join(saved, 'saved_model.pb'), 'x');
    expect(await detectFormat(saved)).toBe('savedmodel');
    await expect(readModel(saved)).rejects.toMatchObject({
      code: 'format.damaged',
      message: expect.stringMatching(/saved_model\.pb is not a complete SavedModel/),
    });
  });

  it('is asked of a file that is not there', async () => {
    await expect(detectFormat(join(folder, 'nothing.onnx'))).rejects.toMatchObject({
      code: 'file.not-found',
    });
  });
});

it('names the file in what is wrong with its bytes', async () => {
  const path = join(folder, 'cut.tflite');
  await writeFile(path, Uint8Array.of(0xff, 0xff, 0, 0, 0x54, 0x46, 0x4c, 0x33, 1, 2));
  await expect(readModel(path)).rejects.toThrow(/^cut\.tflite: /);
});

it('reads a model with its size and hash', async () => {
  const path = await fileOf(onnx);
  const model = await readModel(path);
  expect(model).toMatchObject({ format: 'onnx', sizeBytes: onnx.length, parameters: 2 });
  expect(model.graph?.nodes.map(({ op }) => op)).toEqual(['Mul']);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', onnx.slice()));
  expect(model.sha256).toBe(Buffer.from(digest).toString('hex'));
});
