import type { IoType, OutputFormat, Precision } from '../../core/contract/views.ts';

export type MarkShape =
  | 'circle'
  | 'square'
  | 'triangle'
  | 'triangle-down'
  | 'diamond'
  | 'cross'
  | 'star'
  | 'hexagon';

/** Where files of a precision can run: from the published tables of each runtime, not from a measurement here. */
export type Place = 'CPU' | 'GPU' | 'Edge TPU' | 'MCU';
export const places: readonly Place[] = ['CPU', 'GPU', 'Edge TPU', 'MCU'];

interface PrecisionLook {
  name: string;
  /** One sentence: for whom. */
  purpose: string;
  colour: string;
  shape: MarkShape;
  runsOn: readonly Place[];
}

/** Colour, shape and words of each precision, the same in every chart, card and table. */
export const precisionLook: Record<Precision, PrecisionLook> = {
  float32: {
    name: 'float32',
    purpose: 'The same numbers in the target format. The baseline to compare with.',
    colour: 'var(--p-float32)',
    shape: 'circle',
    runsOn: ['CPU', 'GPU', 'MCU'],
  },
  float16: {
    name: 'float16',
    purpose: 'Half the size with almost no change. The choice for phone GPUs.',
    colour: 'var(--p-float16)',
    shape: 'square',
    runsOn: ['CPU', 'GPU'],
  },
  'dynamic-int8': {
    name: 'dynamic int8',
    purpose: 'A quarter of the size without samples. Good for transformers and dense layers on CPU.',
    colour: 'var(--p-dynamic-int8)',
    shape: 'triangle',
    runsOn: ['CPU'],
  },
  'weights-int8': {
    name: 'weights int8',
    purpose: 'Small to download, computed in float. For when only size matters.',
    colour: 'var(--p-weights-int8)',
    shape: 'hexagon',
    runsOn: ['CPU', 'GPU'],
  },
  'weights-int4': {
    name: 'weights int4',
    purpose: 'An eighth of the size for large dense layers. Check the quality.',
    colour: 'var(--p-weights-int4)',
    shape: 'cross',
    runsOn: ['CPU'],
  },
  int8: {
    name: 'int8',
    purpose: 'Smallest and fastest, in integers throughout. For CPUs, Edge TPU and microcontrollers.',
    colour: 'var(--p-int8)',
    shape: 'diamond',
    runsOn: ['CPU', 'GPU', 'Edge TPU', 'MCU'],
  },
  int16x8: {
    name: 'int16x8',
    purpose: 'int8 weights with int16 activations. For when int8 loses too much quality.',
    colour: 'var(--p-int16x8)',
    shape: 'triangle-down',
    runsOn: ['CPU', 'MCU'],
  },
  auto: {
    name: 'auto',
    purpose: 'Mixes precisions by layer, as small as the allowed accuracy drop permits.',
    colour: 'var(--p-auto)',
    shape: 'star',
    runsOn: ['CPU'],
  },
};

export const formatName: Record<OutputFormat, string> = { tflite: '.tflite', onnx: '.onnx' };

interface Named {
  precision: Precision;
  io: IoType;
  format: OutputFormat;
  /** What tells it from the other results of its precision. */
  label?: string;
}

/** "int8 · uint8 I/O · pure integer · .tflite": the name of one artifact, leaving out what is the default. */
export function artifactName({ precision, io, format, label }: Named): string {
  const parts = [precisionLook[precision].name];
  if (io !== 'float32') parts.push(`${io} I/O`);
  if (label !== undefined) parts.push(label);
  return [...parts, formatName[format]].join(' · ');
}
