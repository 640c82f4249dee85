import sharp from 'sharp';
import { WhittleError } from '../contract/errors.ts';
import { Preprocess } from '../contract/views.ts';
import { isFloat } from '../ir/dtype.ts';
import { type Tensor, tensorOf } from '../ir/tensor.ts';
import { convertTensor } from './convert.ts';
import type { OpenedDataset } from './dataset.ts';
import { type FolderListing, labelFiles } from './folder.ts';
import { type ImageGeometry, imageGeometry } from './image-geometry.ts';
import { describeType, type InputSpec, mismatch, mismatchIssue } from './sample-spec.ts';

/**
 * Samples from pictures, decoded one at a time: turned upright, resized, colours ordered, (x − mean) ÷ scale.
 * @throws WhittleError `data.mismatch` when the model has no single picture input or the settings do not fit it.
 */
export function openImageDataset(
  path: string,
  listing: FolderListing,
  inputs: readonly InputSpec[],
  settings: Preprocess | undefined,
): OpenedDataset {
  const preprocess = Preprocess.parse(settings ?? {});
  const input = inputs[0];
  const wants = inputs.map((each) => `${each.name} ${describeType(each.dtype, each.shape)}`).join(', ');
  const geometry = inputs.length === 1 ? imageGeometry(input.shape, preprocess.layout) : undefined;
  if (!geometry) {
    const message = `Pictures need one input of 1 or 3 channels${preprocess.layout ? ` in ${preprocess.layout}` : ''}; the model has ${wants}.`;
    throw mismatch(path, [mismatchIssue(message, undefined, 'Give the samples as .npz instead.')]);
  }
  const issues = checkSettings(preprocess, geometry, input);
  if (issues.length > 0) throw mismatch(path, issues);
  const { files } = listing;
  return {
    path,
    kind: 'images',
    count: files.length,
    ...labelFiles(listing),
    issues: [],
    preprocess: { ...preprocess, size: [geometry.height, geometry.width], layout: geometry.layout },
    async sample(index) {
      const pixels = await decode(files[index].path, geometry, preprocess);
      return { [input.name]: toTensor(pixels, geometry, preprocess, input) };
    },
    close: async () => {},
  };
}

function checkSettings(preprocess: Preprocess, geometry: ImageGeometry, input: InputSpec) {
  const issues = [];
  const { size, mean, scale, colour } = preprocess;
  const { height, width, channels } = geometry;
  if (size && (size[0] !== height || size[1] !== width)) {
    issues.push(
      mismatchIssue(
        `preprocess.size is ${size[0]} × ${size[1]}; input ${input.name} takes ${height} × ${width}.`,
        input.name,
        "Leave the size out: it is taken from the model's input.",
      ),
    );
  }
  for (const [name, values] of [
    ['mean', mean],
    ['scale', scale],
  ] as const) {
    if (values.length !== 1 && values.length !== channels) {
      issues.push(
        mismatchIssue(
          `preprocess.${name} has ${values.length} values; allowed are 1 or ${channels}.`,
          input.name,
        ),
      );
    }
  }
  if (scale.includes(0))
    issues.push(mismatchIssue('preprocess.scale has a 0; nothing can be divided by it.'));
  if (colour === 'grey' && channels === 3) {
    issues.push(
      mismatchIssue(`preprocess.colour is grey; input ${input.name} takes 3 channels.`, input.name),
    );
  }
  const plain = mean.every((value) => value === 0) && scale.every((value) => value === 1);
  if (!isFloat(input.dtype) && !plain) {
    issues.push(
      mismatchIssue(
        `Input ${input.name} takes ${input.dtype}; mean and scale are for float inputs.`,
        input.name,
      ),
    );
  }
  return issues;
}

const fits = { stretch: 'fill', crop: 'cover', pad: 'contain' } as const;

/** @returns height × width × channels bytes. @throws WhittleError `data.unreadable` naming the file. */
async function decode(path: string, geometry: ImageGeometry, preprocess: Preprocess): Promise<Uint8Array> {
  const { height, width, channels } = geometry;
  try {
    const image = sharp(path, { failOn: 'error', sequentialRead: true })
      .rotate()
      .flatten({ background: '#000000' })
      .resize(width, height, {
        fit: fits[preprocess.fit],
        kernel: 'linear',
        fastShrinkOnLoad: false,
        background: '#000000',
      });
    const coloured = channels === 1 ? image.toColourspace('b-w') : image.toColourspace('srgb');
    const { data, info } = await coloured.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels === channels) return data;
    return spreadChannels(data, info.channels, channels, height * width);
  } catch (error) {
    throw new WhittleError('data.unreadable', `${path} cannot be decoded: ${(error as Error).message}.`, {
      hint: 'Remove the file, or save it again as PNG or JPEG.',
      cause: error,
    });
  }
}

/** sharp keeps a grey picture at one channel: repeated for colour inputs; extra channels are dropped. */
function spreadChannels(data: Uint8Array, from: number, to: number, pixels: number): Uint8Array {
  const out = new Uint8Array(pixels * to);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < to; c++) out[i * to + c] = data[i * from + Math.min(c, from - 1)];
  }
  return out;
}

function toTensor(
  pixels: Uint8Array,
  geometry: ImageGeometry,
  preprocess: Preprocess,
  input: InputSpec,
): Tensor {
  const { channels, layout, height, width } = geometry;
  const area = height * width;
  const values = new Float32Array(area * channels);
  for (let c = 0; c < channels; c++) {
    const from = preprocess.colour === 'bgr' ? channels - 1 - c : c;
    const mean = preprocess.mean[preprocess.mean.length === 1 ? 0 : c];
    const scale = preprocess.scale[preprocess.scale.length === 1 ? 0 : c];
    for (let i = 0; i < area; i++) {
      const to = layout === 'NHWC' ? i * channels + c : c * area + i;
      values[to] = (pixels[i * channels + from] - mean) / scale;
    }
  }
  if (input.dtype === 'float32') return tensorOf('float32', input.shape, values);
  const source = isFloat(input.dtype)
    ? tensorOf('float32', input.shape, values)
    : tensorOf('uint8', input.shape, Uint8Array.from(values));
  const converted = convertTensor(source, input.dtype);
  if (typeof converted !== 'string') return converted;
  throw new WhittleError('data.mismatch', `Pictures cannot be fed to ${input.name}: ${converted}.`);
}
