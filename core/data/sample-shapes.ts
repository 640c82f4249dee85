import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Preprocess } from '../contract/views.ts';
import { openNpyFile } from './array-source.ts';
import { extensionOf, listSamples } from './folder.ts';
import { imageExtensions } from './image-extensions.ts';
import { parseNpyHeader } from './npy.ts';
import { arrayFor } from './sample-spec.ts';
import { decodeWav } from './wav.ts';
import { openZip } from './zip-file.ts';

/** An input of which some dimensions may be open. */
export interface OpenInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** Pictures that are looked at: where they are not of one size, it is the user's choice which one to take. */
const picturesSeen = 32;

/**
 * Whole shapes for inputs with open dimensions, as the samples at `paths` have them: those that their samples settle
 * and no others. Samples of each kind are matched as `openDataset` does; of pictures the size asked for counts, else
 * their own where the first 32 agree.
 * @throws WhittleError `data.unreadable`; the system's error where there is no such file.
 */
export async function proposeShapes(
  paths: readonly string[],
  inputs: readonly OpenInput[],
  preprocess?: Preprocess,
): Promise<Record<string, number[]>> {
  const open = inputs.filter(({ shape }) => shape.some((dim) => typeof dim === 'string'));
  if (open.length === 0) return {};
  const { arrays, files } = await samplesAt(paths);
  const found: Record<string, number[]> = {};
  for (const input of open) {
    const array = arrayFor(input.name, arrays, inputs.length === 1);
    const shape = array && fittingShape(array.shape, input.shape);
    if (shape) found[input.name] = shape;
  }
  if (inputs.length !== 1 || files.length === 0) return found;
  const [{ name, shape }] = open;
  const settled = imageExtensions.has(extensionOf(files[0]))
    ? pictureShape(shape, preprocess?.size ?? (await pictureSize(files)), preprocess?.layout)
    : await fileShape(files[0], shape);
  return settled ? { [name]: settled } : found;
}

interface Samples {
  /** Arrays of many samples each, with the shape of one. */
  readonly arrays: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Files of one sample each. */
  readonly files: readonly string[];
}

async function samplesAt(paths: readonly string[]): Promise<Samples> {
  const [path] = paths;
  if (paths.length === 1 && (await stat(path)).isDirectory()) {
    for (const extensions of [imageExtensions, new Set(['.npy']), new Set(['.wav'])]) {
      const { files } = await listSamples(path, extensions);
      if (files.length > 0) return { arrays: [], files: files.map((file) => file.path) };
    }
    return { arrays: [], files: [] };
  }
  const npz = paths.find((each) => extensionOf(each) === '.npz');
  if (npz) return { arrays: await arraysOf(npz), files: [] };
  const isArray = extensionOf(path) === '.npy' && paths.length <= 2;
  if (!isArray) return { arrays: [], files: [...paths] };
  return { arrays: [{ name: 'x', shape: (await npyShape(path)).slice(1) }], files: [] };
}

async function arraysOf(path: string): Promise<Samples['arrays']> {
  const zip = await openZip(path);
  try {
    const arrays = [];
    for (const entry of zip.entries) {
      if (!entry.name.endsWith('.npy')) continue;
      for await (const head of zip.stream(entry)) {
        const { shape } = parseNpyHeader(head, `${path}: ${entry.name}`);
        arrays.push({ name: basename(entry.name, '.npy'), shape: shape.slice(1) });
        break;
      }
    }
    return arrays;
  } finally {
    await zip.close();
  }
}

async function npyShape(path: string): Promise<readonly number[]> {
  const source = await openNpyFile(path, 'x');
  await source.close();
  return source.shape;
}

/** A sample's shape as the input's, with a batch of 1 before it where one is missing; undefined where it is none of it. */
function fittingShape(sample: readonly number[], input: readonly (number | string)[]): number[] | undefined {
  return [[...sample], [1, ...sample]].find(
    (shape) =>
      shape.length === input.length &&
      shape.every((size, axis) => typeof input[axis] === 'string' || input[axis] === size),
  );
}

/** The shape that one file of samples has for an input: an array of its own, or sound along the one open axis. */
async function fileShape(path: string, input: readonly (number | string)[]): Promise<number[] | undefined> {
  if (extensionOf(path) === '.npy') return fittingShape(await npyShape(path), input);
  if (extensionOf(path) !== '.wav') return undefined;
  const { length } = decodeWav(await readFile(path), path).samples;
  const long = input.findLastIndex((dim) => typeof dim === 'string');
  const shape = input.map((dim, axis) => (typeof dim === 'number' ? dim : axis === long ? length : 1));
  return shape.every((size, axis) => axis === long || size === 1) ? shape : undefined;
}

async function pictureSize(files: readonly string[]): Promise<readonly [number, number] | undefined> {
  const { default: sharp } = await import('sharp');
  const sizes = new Map<string, readonly [number, number]>();
  for (const path of files.slice(0, picturesSeen)) {
    const { width, height, orientation } = await sharp(path).metadata();
    const size = (orientation ?? 1) > 4 ? ([width, height] as const) : ([height, width] as const);
    sizes.set(`${size}`, size);
  }
  return sizes.size === 1 ? [...sizes.values()][0] : undefined;
}

/** `[1, H, W, C]` or `[1, C, H, W]`, by where the input has its 1 or 3 channels; last when both could be. */
function pictureShape(
  input: readonly (number | string)[],
  size: readonly [number, number] | undefined,
  layout: Preprocess['layout'],
): number[] | undefined {
  const channels = (axis: number) => input[axis] === 1 || input[axis] === 3;
  if (!size || input.length !== 4) return undefined;
  const last = layout !== 'NCHW' && channels(3) ? [1, ...size, input[3] as number] : undefined;
  const first = layout !== 'NHWC' && channels(1) ? [1, input[1] as number, ...size] : undefined;
  const shape = last ?? first;
  return shape && fittingShape(shape, input);
}
