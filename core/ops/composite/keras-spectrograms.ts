/** Spectrogram layers of Keras 3: the Fourier transform is a convolution with cosines and sines. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, permute, type Tensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import {
  explicitPads,
  innerNodes,
  intsConstant,
  layoutOf,
  onlyInput,
  plain,
  reshapeTo,
  scalarConstant,
  shapeOf,
} from '../keras-layers.ts';

/** Frames of a signal `[batch, time, 1]`, each multiplied by a kernel `[frame, 1, frequencies]`. */
export function transform(
  layer: KerasLayerView,
  builder: GraphBuilder,
  signal: Value,
  kernel: Tensor,
  { stride, padding }: { stride: number; padding: string },
  suffix: string,
): Value {
  const window = { kernel: [kernel.shape[0]], strides: [stride], dilations: [1] };
  const pads = explicitPads(layer, padding, [shapeOf(layer, signal)[1]], window);
  const weights = builder.constant(`${layer.name}/${suffix}_kernel`, permute(kernel, [2, 1, 0]));
  const attrs = { layout: 'NHWC', strides: [stride], dilations: [1], pads, group: 1, ...plain };
  return innerNodes(layer, builder)('Conv', [signal, weights, null], suffix, attrs);
}

function power(layer: KerasLayerView, builder: GraphBuilder, real: Value, imaginary: Value): Value {
  const node = innerNodes(layer, builder);
  const squares = [
    node('Mul', [real, real], 'real_square', plain),
    node('Mul', [imaginary, imaginary], 'imaginary_square', plain),
  ];
  return node('Add', squares, 'power', plain);
}

/** `keras.config.epsilon()`. */
const epsilon = 1e-7;

const stftSpectrogram: KerasReader = (layer, builder) => {
  const node = innerNodes(layer, builder);
  const x = onlyInput(layer);
  const layout = layoutOf(layer);
  const shape = shapeOf(layer, x);
  if (shape.length !== 3) return layer.refuse(`takes a tensor of 3 axes, not [${shape.join(', ')}]`);
  const [batch, time, channels] = layout === 'NHWC' ? shape : [shape[0], shape[2], shape[1]];
  const isOne = channels === 1 || layout === 'NCHW';
  const turned = isOne ? x : node('Transpose', [x], 'channels_first', { perm: [0, 2, 1] });
  const signal = reshapeTo(builder, turned, [batch * channels, time, 1], `${layer.name}/signals`);

  const frame = layer.int('frame_length', 256);
  const length = layer.config.fft_length == null ? 2 ** Math.ceil(Math.log2(frame)) : layer.int('fft_length');
  const stride = layer.config.frame_step == null ? Math.floor(frame / 2) : layer.int('frame_step');
  const plan = { stride, padding: layer.string('padding', 'valid') };
  const mode = layer.string('mode', 'log');
  const part = (name: 'real' | 'imag') => {
    const kernel = layer.weight(`${name}_kernel`, [frame, 1, Math.floor(length / 2) + 1]);
    return transform(layer, builder, signal, kernel, plan, name);
  };
  const floor = () => scalarConstant(builder, `${layer.name}/epsilon`, epsilon);
  let result: Value;
  if (mode === 'real' || mode === 'imag') result = part(mode);
  else if (mode === 'stft') result = node('Concat', [part('real'), part('imag')], 'both', { axis: 2 });
  else if (mode === 'magnitude' || mode === 'log') {
    const strength = power(layer, builder, part('real'), part('imag'));
    result = node('Sqrt', [node('Max', [strength, floor()], 'floored')], 'magnitude');
    if (mode === 'log') result = node('Log', [node('Max', [result, floor()], 'magnitude_floored')], 'log');
  } else return layer.refuse(`mode ${mode} is not read; real, imag, stft, magnitude and log are`);
  return [placed(layer, builder, result, { batch, channels, isLast: layout === 'NHWC' })];
};

/** `[batch × channels, frames, frequencies]` in the order of axes that the layer's options ask for. */
function placed(
  layer: KerasLayerView,
  builder: GraphBuilder,
  x: Value,
  { batch, channels, isLast }: { batch: number; channels: number; isLast: boolean },
): Value {
  const node = innerNodes(layer, builder);
  const [, frames, frequencies] = shapeOf(layer, x);
  const apart = reshapeTo(builder, x, [batch, channels, frames, frequencies], `${layer.name}/apart`);
  const name = layer.name;
  if (layer.boolean('expand_dims', false)) {
    if (!isLast) return builder.one('Identity', [apart], {}, { name });
    return builder.one('Transpose', [apart], { perm: [0, 2, 3, 1] }, { name });
  }
  if (isLast) {
    const turned = channels === 1 ? apart : node('Transpose', [apart], 'turned', { perm: [0, 2, 1, 3] });
    return reshapeTo(builder, turned, [batch, frames, channels * frequencies], name);
  }
  const turned = node('Transpose', [apart], 'turned', { perm: [0, 1, 3, 2] });
  return reshapeTo(builder, turned, [batch, channels * frequencies, frames], name);
}

/** Cosines and sines of all frequencies under a window that is centered in the frame. */
export function fourierKernels(
  layer: KerasLayerView,
  length: number,
  frame: number,
): { real: Tensor; imaginary: Tensor } {
  const window =
    layer.config.window === null ? new Array<number>(frame).fill(1) : periodicWindow(layer, frame);
  const before = Math.floor((length - frame) / 2);
  const frequencies = Math.floor(length / 2) + 1;
  const real = new Float32Array(length * frequencies);
  const imaginary = new Float32Array(length * frequencies);
  for (let n = 0; n < length; n++) {
    const weight = window[n - before] ?? 0;
    for (let k = 0; k < frequencies; k++) {
      const angle = (2 * Math.PI * ((n * k) % length)) / length;
      real[n * frequencies + k] = weight * Math.cos(angle);
      imaginary[n * frequencies + k] = -weight * Math.sin(angle);
    }
  }
  const shape = [length, 1, frequencies];
  return { real: floatTensor(shape, real), imaginary: floatTensor(shape, imaginary) };
}

export function periodicWindow(layer: KerasLayerView, frame: number): number[] {
  const name = layer.config.window ?? 'hann';
  const share = name === 'hann' ? 0.5 : name === 'hamming' ? 0.54 : undefined;
  if (share === undefined)
    return layer.refuse(`window ${JSON.stringify(name)} is not read; hann and hamming are`);
  return Array.from({ length: frame }, (_, n) => share - (1 - share) * Math.cos((2 * Math.PI * n) / frame));
}

/**
 * Triangles on the mel scale of HTK, mel(f) = 1127 ln(1 + f / 700), with peaks of 1; the lowest frequency counts
 * nowhere. @returns weights `[bins, frequencies]`.
 */
function melWeights(
  frequencies: number,
  bins: number,
  rate: number,
  low: number,
  high: number,
): Float32Array {
  const mel = (hertz: number) => 1127 * Math.log(1 + hertz / 700);
  const edge = (i: number) => mel(low) + ((mel(high) - mel(low)) * i) / (bins + 1);
  const weights = new Float32Array(bins * frequencies);
  for (let bin = 0; bin < bins; bin++) {
    const [lower, center, upper] = [edge(bin), edge(bin + 1), edge(bin + 2)];
    for (let k = 1; k < frequencies; k++) {
      const at = mel((rate / 2) * (k / (frequencies - 1)));
      const slope = Math.min((at - lower) / (center - lower), (upper - at) / (upper - center));
      weights[bin * frequencies + k] = Math.max(0, slope);
    }
  }
  return weights;
}

const melSpectrogram: KerasReader = (layer, builder) => {
  const node = innerNodes(layer, builder);
  const constant = (suffix: string, value: number) =>
    scalarConstant(builder, `${layer.name}/${suffix}`, value);
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  if (shape.length !== 2) return layer.refuse(`takes a tensor of 2 axes, not [${shape.join(', ')}]`);
  const length = layer.int('fft_length', 2048);
  const frame = layer.config.sequence_length == null ? length : layer.int('sequence_length');
  const half = Math.floor(length / 2);
  const pads = intsConstant(builder, `${layer.name}/pads`, [0, half, 0, half]);
  const padded = node('Pad', [x, pads, null], 'padded', { mode: 'reflect' });
  const signal = reshapeTo(builder, padded, [shape[0], shape[1] + 2 * half, 1], `${layer.name}/signal`);
  const { real, imaginary } = fourierKernels(layer, length, frame);
  const plan = { stride: layer.int('sequence_stride', 512), padding: 'valid' };
  const strength = power(
    layer,
    builder,
    transform(layer, builder, signal, real, plan, 'real'),
    transform(layer, builder, signal, imaginary, plan, 'imaginary'),
  );
  const exponent = layer.number('mag_exp', 2);
  const spectrum =
    exponent === 2 ? strength : node('Pow', [strength, constant('half_exponent', exponent / 2)], 'raised');

  const rate = layer.number('sampling_rate', 16_000);
  const bins = layer.int('num_mel_bins', 128);
  const high = layer.config.max_freq == null ? Math.trunc(rate / 2) : layer.number('max_freq');
  const weights = melWeights(half + 1, bins, rate, layer.number('min_freq', 20), high);
  const matrix = builder.constant(`${layer.name}/mel_weights`, floatTensor([bins, half + 1], weights));
  const mel = node('FullyConnected', [spectrum, matrix, null], 'mel', plain);
  const level = layer.boolean('power_to_db', true) ? decibels(layer, builder, mel) : mel;
  return [builder.one('Transpose', [level], { perm: [0, 2, 1] }, { name: layer.name })];
};

/** 10 log₁₀ of the power over the reference, not more than `top_db` below the loudest. */
function decibels(layer: KerasLayerView, builder: GraphBuilder, x: Value): Value {
  const node = innerNodes(layer, builder);
  const constant = (suffix: string, value: number) =>
    scalarConstant(builder, `${layer.name}/${suffix}`, value);
  const least = layer.number('min_power', 1e-10);
  const log = node('Log', [node('Max', [x, constant('least', least)], 'mel_floored')], 'log');
  const scaled = node('Mul', [log, constant('decibel', 10 / Math.LN10)], 'level', plain);
  const reference = 10 * Math.log10(Math.max(Math.abs(layer.number('ref_power', 1)), least));
  const level =
    reference === 0 ? scaled : node('Sub', [scaled, constant('reference', reference)], 'relative', plain);
  const loudest = node('ReduceMax', [level, null], 'loudest', { keepDims: true });
  const floor = node('Sub', [loudest, constant('range', layer.number('top_db', 80))], 'floor', plain);
  return node('Max', [level, floor], 'limited');
}

export const spectrogramKeras: KerasFacet = {
  STFTSpectrogram: stftSpectrogram,
  MelSpectrogram: melSpectrogram,
};
