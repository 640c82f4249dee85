/** TFLite Metadata: what is said of a model, and files packed behind it. */
import { describe, expect, it } from 'vitest';
import { smallFile } from '../../testing/tflite-files.ts';
import { decodeModel, encodeModel } from './flatbuffer.ts';
import { viewModel } from './model-view.ts';
import { findPackedFiles } from './packed-files.ts';
import { readTfliteBytes } from './reader.ts';
import { writeTflite } from './writer.ts';

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

/** Made by the flatbuffers package of Python: a name, an author, one input with a normalization. */
const described = fromBase64(
  'GAAAAE0wMDEAAA4AEAAMAAAAAAAIAAQADgAAAAwAAAAkAAAAFAAAAAsAAABBLiBHYXJkZW5lcgAHAAAARmxvd2VycwABAAAAEAAAAAAACgAIAAAAAAAEAAoAAAAEAAAAAQAAABQAAAAAAA4ADAAIAAAAAAAAAAQADgAAABQAAAAEAAAABQAAAGltYWdlAAAAAQAAAAwAAAAIAAwACwAEAAgAAAAQAAAAAAAAAQgADAAIAAQACAAAAAgAAAAMAAAAAQAAAAAA/0IBAAAAAAD/Qg==',
);
/** Ten bytes, and behind them an archive by Python's zipfile. */
const archive = fromBase64(
  'eHh4eHh4eHh4eFBLAwQUAAAAAAAAACFQNgPtQAsAAAALAAAACgAAAGxhYmVscy50eHRyb3NlCnR1bGlwClBLAQIUAxQAAAAAAAAAIVA2A+1ACwAAAAsAAAAKAAAAAAAAAAAAAACAAQoAAABsYWJlbHMudHh0UEsFBgAAAAABAAEAOAAAAD0AAAAAAA==',
);

/** The archive as a tool appends it: its offsets count from the beginning of the whole file. */
function packedBehind(file: Uint8Array): Uint8Array {
  const moved = archive.slice(10);
  const view = new DataView(moved.buffer);
  const by = file.length - 10;
  const end = moved.length - 22;
  const directory = view.getUint32(end + 16, true) - 10;
  for (const at of [directory + 42, end + 16]) view.setUint32(at, view.getUint32(at, true) + by, true);
  return Uint8Array.from([...file, ...moved]);
}

const plain = decodeModel(smallFile());
const source = packedBehind(
  encodeModel({
    ...plain,
    buffers: [...plain.buffers!, { data: described }],
    metadata: [...plain.metadata!, { name: 'TFLITE_METADATA', buffer: plain.buffers!.length }],
  }),
);

describe('metadata of a TFLite file', () => {
  const { graph } = readTfliteBytes(source, 'test');

  it('is told', () => {
    expect(graph!.source.metadata).toMatchObject({
      name: 'Flowers',
      author: 'A. Gardener',
      'normalization of image': '(x − 127.5) ÷ 127.5',
      files: 'labels.txt',
    });
  });

  it.each([false, true])('is kept, large form %s', (large) => {
    const { bytes } = writeTflite(graph!, { large });
    const entries = viewModel(bytes).metadata;
    expect(entries.map(({ name }) => name)).toEqual(['min_runtime_version', 'TFLITE_METADATA']);
    expect(entries[1].data).toEqual(described);
    const packed = findPackedFiles(bytes)!;
    expect(packed.names).toEqual(['labels.txt']);
    const place = packed.start + 30 + 'labels.txt'.length;
    expect(new TextDecoder().decode(bytes.subarray(place, place + 11))).toBe('rose\ntulip\n');
  });

  it('of ONNX files becomes entries', () => {
    const { attachments: _, ...own } = graph!.source;
    const onnx = { ...graph!, source: { ...own, format: 'onnx' as const, metadata: { stride: '32' } } };
    const [, entry] = viewModel(writeTflite(onnx).bytes).metadata;
    expect([entry.name, new TextDecoder().decode(entry.data)]).toEqual(['stride', '32']);
  });
});

describe('what only looks packed', () => {
  it.each([
    ['cut off', source.subarray(0, -1)],
    [
      'a directory outside of the file',
      Uint8Array.from(source, (byte, i) => (i >= source.length - 6 && i < source.length - 2 ? 0xff : byte)),
    ],
    ['nothing', new Uint8Array(0)],
  ])('%s', (_name, bytes) => {
    expect(findPackedFiles(bytes)).toBeUndefined();
  });
});
