import type { DatasetView, Preprocess, SampleView } from '../contract/views.ts';
import { isFloat } from '../ir/dtype.ts';
import { elementCount, type Tensor, toFloat32, toNumbers } from '../ir/tensor.ts';
import { spreadIndexes } from '../kernels/spread.ts';
import type { OpenedDataset } from './dataset.ts';
import { imageGeometry } from './image-geometry.ts';
import { openDataset } from './open-dataset.ts';
import type { InputSpec } from './sample-spec.ts';

/** Value ranges are taken from so many samples, spread evenly. */
const rangeSamples = 32;
/** Pictures larger than this are shrunk for the contact sheet. */
const previewPixels = 128;

/** Opens samples, tells what they are, and closes them. Value ranges come from at most 32 samples. */
export async function describeDataset(
  paths: string | readonly string[],
  inputs: readonly InputSpec[],
  preprocess?: Preprocess,
): Promise<DatasetView> {
  const dataset = await openDataset(paths, inputs, preprocess);
  try {
    return {
      path: dataset.path,
      kind: dataset.kind,
      samples: dataset.count,
      labels: countLabels(dataset, spreadIndexes(dataset.count)),
      inputs: await rangesOf(dataset, inputs),
      preprocess: dataset.preprocess,
      issues: [...dataset.issues],
    };
  } finally {
    await dataset.close();
  }
}

/** How many of some samples are of each class; empty without labels. */
export function countLabels(
  dataset: Pick<OpenedDataset, 'labels' | 'classNames'>,
  indexes: readonly number[],
): DatasetView['labels'] {
  if (!dataset.labels) return [];
  const counts = new Map<number, number>();
  for (const index of indexes) {
    const label = dataset.labels[index];
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([label, count]) => ({ name: dataset.classNames?.[label] ?? String(label), count }));
}

async function rangesOf(
  dataset: OpenedDataset,
  inputs: readonly InputSpec[],
): Promise<DatasetView['inputs']> {
  const ranges = inputs.map(() => ({ min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }));
  for (const index of spreadIndexes(dataset.count, rangeSamples)) {
    const feeds = await dataset.sample(index);
    inputs.forEach((input, at) => {
      for (const value of valuesOf(feeds[input.name])) {
        if (value < ranges[at].min) ranges[at].min = value;
        if (value > ranges[at].max) ranges[at].max = value;
      }
    });
  }
  return inputs.map((input, at) => ({
    name: input.name,
    dtype: input.dtype,
    shape: [...input.shape],
    min: finiteOr(ranges[at].min, 0),
    max: finiteOr(ranges[at].max, 0),
  }));
}

function finiteOr(value: number, other: number): number {
  return Number.isFinite(value) ? value : other;
}

function valuesOf(tensor: Tensor): ArrayLike<number> & Iterable<number> {
  return isFloat(tensor.dtype) ? toFloat32(tensor) : toNumbers(tensor);
}

/**
 * Some samples for the contact sheet: what the network sees, brought back to 0…255. Pictures from files are mapped back
 * by their mean and scale; arrays by the range of their own values unless they lie in 0…1 or 0…255 already.
 */
export async function previewSamples(
  dataset: OpenedDataset,
  inputs: readonly InputSpec[],
  offset: number,
  count: number,
): Promise<SampleView[]> {
  const views: SampleView[] = [];
  for (let index = offset; index < Math.min(offset + count, dataset.count); index++) {
    const label = dataset.labels?.[index];
    views.push({
      index,
      label: label === undefined ? undefined : (dataset.classNames?.[label] ?? String(label)),
      image: await previewImage(await dataset.sample(index), inputs, dataset.preprocess),
    });
  }
  return views;
}

/** A PNG data URL of the first input that holds a picture; undefined when none does. */
export async function previewImage(
  feeds: Readonly<Record<string, Tensor>>,
  inputs: readonly InputSpec[],
  preprocess?: Preprocess,
): Promise<string | undefined> {
  for (const input of inputs) {
    const geometry = imageGeometry(input.shape, preprocess?.layout);
    if (!geometry || geometry.height < 4 || geometry.width < 4) continue;
    const { height, width, channels, layout } = geometry;
    const values = valuesOf(feeds[input.name]);
    const toByte = byteMapping(values, channels, preprocess);
    const pixels = new Uint8Array(elementCount([height, width, channels]));
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < channels; c++) {
        const value = values[layout === 'NHWC' ? i * channels + c : c * height * width + i];
        const to = preprocess?.colour === 'bgr' ? channels - 1 - c : c;
        pixels[i * channels + to] = Math.min(255, Math.max(0, Math.round(toByte(value, c))));
      }
    }
    return encodePng(pixels, width, height, channels);
  }
  return undefined;
}

function byteMapping(
  values: ArrayLike<number> & Iterable<number>,
  channels: number,
  preprocess: Preprocess | undefined,
): (value: number, channel: number) => number {
  if (preprocess) {
    const pick = (list: readonly number[], c: number): number => list[list.length === channels ? c : 0];
    return (value, c) => value * pick(preprocess.scale, c) + pick(preprocess.mean, c);
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min >= 0 && max <= 1) return (value) => value * 255;
  if (min >= 0 && max > 16 && max <= 255) return (value) => value;
  const span = max - min || 1;
  return (value) => ((value - min) / span) * 255;
}

async function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<string> {
  const { default: sharp } = await import('sharp');
  const image = sharp(pixels, { raw: { width, height, channels } });
  const small =
    Math.max(width, height) > previewPixels
      ? image.resize(previewPixels, previewPixels, { fit: 'inside' })
      : image;
  const png = await small.png({ compressionLevel: 9 }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
