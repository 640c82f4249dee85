import { readFile, stat } from 'node:fs/promises';
import { WhittleError } from '../contract/errors.ts';
import { isFloat } from '../ir/dtype.ts';
import { elementCount, tensorOf } from '../ir/tensor.ts';
import { convertTensor } from './convert.ts';
import type { OpenedDataset } from './dataset.ts';
import { type FolderListing, labelFiles } from './folder.ts';
import { describeType, type InputSpec, mismatch, mismatchIssue } from './sample-spec.ts';

export interface Sound {
  readonly sampleRate: number;
  readonly channels: number;
  /** Mono (channels averaged), −1…1. */
  readonly samples: Float32Array;
}

const fileLimit = 256 * 1024 * 1024;

/** Decodes RIFF/WAVE with PCM of 8, 16, 24 or 32 bits or IEEE float of 32. @throws WhittleError `data.unreadable`. */
export function decodeWav(bytes: Uint8Array, name: string): Sound {
  const refuse = (why: string): never => {
    throw new WhittleError('data.unreadable', `${name} is not a WAV file that can be read: ${why}.`, {
      hint: 'Save it as PCM of 16 bits.',
    });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') refuse('it does not begin like one');
  let format: { code: number; channels: number; rate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = tag(at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === 'fmt ' && size >= 16 && body + size <= bytes.length) {
      const declared = view.getUint16(body, true);
      const code = declared === 0xfffe && size >= 26 ? view.getUint16(body + 24, true) : declared;
      format = {
        code,
        channels: view.getUint16(body + 2, true),
        rate: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    } else if (id === 'data') {
      if (!format) return refuse('its sound comes before its format');
      if (body + size > bytes.length) refuse('it is cut off');
      return readSamples(view, body, size, format, refuse);
    }
    at = body + size + (size % 2);
  }
  return refuse('it has no sound');
}

function readSamples(
  view: DataView,
  start: number,
  size: number,
  format: { code: number; channels: number; rate: number; bits: number },
  refuse: (why: string) => never,
): Sound {
  const { code, channels, rate, bits } = format;
  if (channels < 1 || channels > 64) refuse(`it has ${channels} channels`);
  const readers: Readonly<Record<string, (at: number) => number>> = {
    '1/8': (at) => (view.getUint8(at) - 128) / 128,
    '1/16': (at) => view.getInt16(at, true) / 32768,
    '1/24': (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608,
    '1/32': (at) => view.getInt32(at, true) / 2147483648,
    '3/32': (at) => view.getFloat32(at, true),
  };
  const read = readers[`${code}/${bits}`] ?? refuse(`its encoding is ${code} with ${bits} bits`);
  const step = bits / 8;
  const frames = Math.floor(size / (step * channels));
  const samples = new Float32Array(frames);
  for (let i = 0; i < frames; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(start + (i * channels + c) * step);
    samples[i] = sum / channels;
  }
  return { sampleRate: rate, channels, samples };
}

/** One .wav per sample, as many sound samples as the input has elements. @throws WhittleError `data.mismatch`. */
export async function openWavDataset(
  path: string,
  listing: FolderListing,
  inputs: readonly InputSpec[],
): Promise<OpenedDataset> {
  const [input] = inputs;
  const wants = inputs.map((each) => `${each.name} ${describeType(each.dtype, each.shape)}`).join(', ');
  const long = input?.shape.filter((dim) => dim !== 1) ?? [];
  if (inputs.length !== 1 || long.length > 1 || !isFloat(input.dtype)) {
    const message = `Sounds need one float input with a single long axis; the model has ${wants}.`;
    throw mismatch(path, [
      mismatchIssue(message, undefined, 'Compute the features first and give them as .npz.'),
    ]);
  }
  const length = elementCount(input.shape);
  const read = async (index: number) => {
    const file = listing.files[index];
    const { size } = await stat(file.path);
    if (size > fileLimit) {
      throw new WhittleError(
        'data.unreadable',
        `${file.path} has ${size} bytes; at most ${fileLimit} are read.`,
      );
    }
    const sound = decodeWav(await readFile(file.path), file.path);
    if (sound.samples.length !== length) {
      const message = `Input ${input.name} takes ${length} sound samples; ${file.name} has ${sound.samples.length} at ${sound.sampleRate} Hz.`;
      throw mismatch(path, [mismatchIssue(message, input.name, 'Cut or pad the sounds to one length.')]);
    }
    const converted = convertTensor(tensorOf('float32', input.shape, sound.samples), input.dtype);
    if (typeof converted !== 'string') return { [input.name]: converted };
    throw new WhittleError('data.mismatch', `${file.path} cannot be fed to ${input.name}: ${converted}.`);
  };
  await read(0);
  return {
    path,
    kind: 'wav',
    count: listing.files.length,
    ...labelFiles(listing),
    issues: [],
    sample: read,
    close: async () => {},
  };
}
