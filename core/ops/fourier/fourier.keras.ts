/** Fourier transforms of keras.ops, which give and take pairs of real and imaginary part. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import { fourierKernels, periodicWindow, transform } from '../composite/keras-spectrograms.ts';
import type { Complex, KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { argumentOf, intArgument, isTensor, tensorArgument } from '../keras-arguments.ts';
import { innerNodes, intsConstant, plain, reshapeTo, shapeOf } from '../keras-layers.ts';
import { ComplexSteps } from './complex-steps.ts';

function stepsOf(layer: KerasLayerView, builder: GraphBuilder): ComplexSteps {
  return new ComplexSteps(builder, layer.name, (message) => layer.refuse(message));
}

function pairOf(layer: KerasLayerView): Complex {
  const [real, imaginary] = layer.inputs;
  if (layer.inputs.length !== 2) layer.refuse(`takes a pair of tensors, not ${layer.inputs.length}`);
  return { real, imaginary };
}

function lengthOf(layer: KerasLayerView, fallback: number): number {
  const given = argumentOf(layer, 1, 'fft_length');
  return given === undefined ? fallback : intArgument(layer, given, 'fft_length');
}

function lastSize(layer: KerasLayerView, x: Value): number {
  return shapeOf(layer, x).at(-1) ?? layer.refuse('takes a tensor with at least one axis');
}

const rfft: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x');
  const { real, imaginary } = stepsOf(layer, builder).halfSpectrum(x, lengthOf(layer, lastSize(layer, x)));
  return [real, imaginary];
};

const irfft: KerasReader = (layer, builder) => {
  const z = pairOf(layer);
  const length = lengthOf(layer, 2 * (lastSize(layer, z.real) - 1));
  return [stepsOf(layer, builder).signalOf(z, length)];
};

/** Over the last axis, or the last two. */
function fft(axes: 1 | 2, inverse: boolean): KerasReader {
  return (layer, builder) => {
    const steps = stepsOf(layer, builder);
    let z = pairOf(layer);
    const shape = shapeOf(layer, z.real);
    for (let axis = shape.length - 1; axis >= shape.length - axes; axis--) {
      z = steps.along(z, axis, (turned) => steps.spectrum(turned, shape[axis], inverse));
    }
    return [z.real, z.imaginary];
  };
}

interface Frames {
  readonly length: number;
  readonly sequence: number;
  readonly stride: number;
  readonly isCentered: boolean;
}

function framesOf(layer: KerasLayerView): Frames {
  const number = (index: number, name: string) => intArgument(layer, argumentOf(layer, index, name), name);
  const [sequence, stride, length] = [
    number(1, 'sequence_length'),
    number(2, 'sequence_stride'),
    number(3, 'fft_length'),
  ];
  if (length < sequence || sequence < 1 || stride < 1) {
    layer.refuse(
      `sequence_length ${sequence}, sequence_stride ${stride} and fft_length ${length} do not fit`,
    );
  }
  return { length, sequence, stride, isCentered: layer.config.center !== false };
}

/** Frames of a signal under a window, each transformed: a convolution with cosines and sines. */
const stft: KerasReader = (layer, builder) => {
  const node = innerNodes(layer, builder);
  const x = tensorArgument(layer, 0, 'x');
  const { length, sequence, stride, isCentered } = framesOf(layer);
  const shape = shapeOf(layer, x);
  const half = isCentered ? Math.floor(length / 2) : 0;
  const edges = [...shape.map(() => 0)];
  edges[edges.length - 1] = half;
  const pads = intsConstant(builder, `${layer.name}/pads`, [...edges, ...edges]);
  const padded = half > 0 ? node('Pad', [x, pads, null], 'padded', { mode: 'reflect' }) : x;
  const time = shape[shape.length - 1] + 2 * half;
  const outer = shape.slice(0, -1);
  const count = outer.reduce((product, size) => product * size, 1);
  const signal = reshapeTo(builder, padded, [count, time, 1], `${layer.name}/signal`);
  const kernels = fourierKernels(layer, length, sequence);
  return (['real', 'imaginary'] as const).map((part) => {
    const frames = transform(layer, builder, signal, kernels[part], { stride, padding: 'valid' }, part);
    const [, steps, bins] = shapeOf(layer, frames);
    return reshapeTo(builder, frames, [...outer, steps, bins], `${layer.name}/${part}_frames`);
  });
};

/** The window that undoes a forward one in overlapping frames (Griffin and Lim 1984, equation 7). */
function inverseWindow(forward: readonly number[], stride: number): number[] {
  const sums = new Array<number>(stride).fill(0);
  forward.forEach((value, n) => {
    sums[n % stride] += value * value;
  });
  return forward.map((value, n) => (sums[n % stride] === 0 ? 0 : value / sums[n % stride]));
}

/** Frames transformed back and added up where they overlap: a transposed convolution. */
const istft: KerasReader = (layer, builder) => {
  const node = innerNodes(layer, builder);
  const steps = stepsOf(layer, builder);
  const z = pairOf(layer);
  const { length, sequence, stride, isCentered } = framesOf(layer);
  const bins = Math.floor(length / 2) + 1;
  const shape = shapeOf(layer, z.real);
  const [frames] = shape.slice(-2);
  const before = Math.floor((length - sequence) / 2);
  const forward = layer.config.window === null ? undefined : periodicWindow(layer, sequence);
  const placed = Array.from({ length }, (_, n) => forward?.[n - before] ?? 0);
  const window = forward ? inverseWindow(placed, stride) : placed.map(() => 1);
  const kernel = Float32Array.from(steps.signalMatrix(length), (value, i) => value * window[i % length]);
  const outer = shape.slice(0, -2);
  const count = outer.reduce((product, size) => product * size, 1);
  const both = steps.joined(steps.fitBoth(z, bins));
  const rows = reshapeTo(builder, both, [count, frames, 2 * bins], `${layer.name}/frames`);
  const weights = builder.constant(`${layer.name}/kernel`, floatTensor([2 * bins, 1, length], kernel));
  const attrs = {
    layout: 'NHWC',
    strides: [stride],
    dilations: [1],
    pads: [0, 0],
    group: 1,
    outputPadding: [0],
    ...plain,
  };
  const signal = node('ConvTranspose', [rows, weights, null], 'overlapped', attrs);
  const time = length + stride * (frames - 1);
  const half = Math.floor(length / 2);
  const start = isCentered ? half : 0;
  const given = argumentOf(layer, 4, 'length');
  const wanted =
    given === undefined ? time - (isCentered ? 2 * half : 0) : intArgument(layer, given, 'length');
  const size = Math.min(wanted, time - start);
  const flat = reshapeTo(builder, signal, [...outer, time], `${layer.name}/signal`);
  const range = [start, start + size, -1].map((value, i) =>
    intsConstant(builder, `${layer.name}/slice${i}`, [value]),
  );
  return [node('Slice', [flat, ...range, null], 'cut')];
};

/** Refuses a window that is a tensor: it is known only as an argument. */
function withNamedWindow(reader: KerasReader): KerasReader {
  return (layer, builder) => {
    const window = layer.kwargs.window ?? layer.config.window;
    if (isTensor(window)) layer.refuse('window is a tensor; hann, hamming and none are read');
    return reader(layer, builder);
  };
}

export const fourierKeras: KerasFacet = {
  'ops.RFFT': rfft,
  'ops.IRFFT': irfft,
  'ops.FFT': fft(1, false),
  'ops.FFT2': fft(2, false),
  'ops.IFFT2': fft(2, true),
  'ops.STFT': withNamedWindow(stft),
  'ops.ISTFT': withNamedWindow(istft),
};
