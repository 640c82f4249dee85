import type { ArtifactView, IoType, OutputFormat, Precision } from '../../../core/contract/views.ts';

/** What a target is best served with; deduced from the published rules of each runtime. */
export interface TargetPreset {
  id: string;
  name: string;
  /** What to export for it and why, in a sentence. */
  advice: string;
  format: OutputFormat;
  /** The best first. */
  precisions: readonly Precision[];
  io: readonly IoType[];
  pureInteger?: boolean;
}

export const presets: readonly TargetPreset[] = [
  {
    id: 'android-cpu',
    name: 'Android CPU',
    advice: 'int8 runs in XNNPACK’s integer kernels; dynamic int8 serves dense layers without samples.',
    format: 'tflite',
    precisions: ['int8', 'dynamic-int8', 'float16', 'float32'],
    io: ['float32', 'int8', 'uint8'],
  },
  {
    id: 'android-gpu',
    name: 'Android GPU',
    advice: 'The GPU computes in float: float16 weights halve the download and lose next to nothing.',
    format: 'tflite',
    precisions: ['float16', 'float32'],
    io: ['float32'],
  },
  {
    id: 'ios',
    name: 'iOS',
    advice: 'float16 for the GPU and Core ML delegates; int8 for the CPU.',
    format: 'tflite',
    precisions: ['float16', 'int8', 'float32'],
    io: ['float32', 'uint8', 'int8'],
  },
  {
    id: 'edge-tpu',
    name: 'Edge TPU',
    advice: 'Integers throughout with uint8 or int8 inputs; one float operator sends the rest to the CPU.',
    format: 'tflite',
    precisions: ['int8'],
    io: ['uint8', 'int8'],
    pureInteger: true,
  },
  {
    id: 'mcu',
    name: 'Microcontroller',
    advice: 'TensorFlow Lite Micro, CMSIS-NN and Ethos-U take full int8 with int8 inputs, or int16x8.',
    format: 'tflite',
    precisions: ['int8', 'int16x8'],
    io: ['int8', 'int16'],
    pureInteger: true,
  },
  {
    id: 'npu',
    name: 'Phone NPU',
    advice: 'QNN and MediaTek take static int8, or int16x8 where int8 loses too much.',
    format: 'tflite',
    precisions: ['int8', 'int16x8'],
    io: ['float32', 'int8', 'uint8', 'int16'],
  },
  {
    id: 'desktop',
    name: 'Desktop, server',
    advice: 'ONNX Runtime runs the QDQ form of int8 with its own integer kernels.',
    format: 'onnx',
    precisions: ['int8', 'dynamic-int8', 'float16', 'float32'],
    io: ['float32', 'int8', 'uint8'],
  },
];

/** The best verified result for a target, if there is one: by the preset's order of precisions, then of I/O types. */
export function bestFor(preset: TargetPreset, artifacts: readonly ArtifactView[]): ArtifactView | undefined {
  const fits = artifacts.filter(
    ({ status, format, precision, io }) =>
      status === 'ok' &&
      format === preset.format &&
      preset.precisions.includes(precision) &&
      preset.io.includes(io),
  );
  const rank = ({ precision, io }: ArtifactView): number =>
    preset.precisions.indexOf(precision) * preset.io.length + preset.io.indexOf(io);
  return [...fits].sort((a, b) => rank(a) - rank(b))[0];
}

/** Whether an artifact is of the kind a target takes. */
export function fitsTarget(preset: TargetPreset, artifact: ArtifactView): boolean {
  return bestFor(preset, [artifact]) !== undefined;
}
