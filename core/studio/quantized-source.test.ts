import { describe, expect, it } from 'vitest';
import { readTfliteBytes } from '../formats/tflite/reader.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { planQuantization, quantizeForTflite } from '../quantize/quantize.ts';
import { ranges, smallNet } from '../quantize/test-graphs.ts';
import { rowFile } from '../testing/tflite-rows.ts';
import { keepNumbers } from './quantized-source.ts';
import type { SourceModel } from './source-model.ts';

const calibrated = ranges({ x: [-0.9, 0.9], conv: [0, 7], dense: [-12, 12], y: [0, 1] });

function sourceOf(bytes: Uint8Array): SourceModel {
  const read = readTfliteBytes(bytes, 'small');
  return { ...read, format: 'tflite', path: 'small.tflite', sizeBytes: bytes.length, sha256: '' };
}

function integerNet(): SourceModel {
  const forms = { tflite: smallNet(), onnx: smallNet('NCHW') };
  const plan = planQuantization(forms, calibrated, { precision: 'int8', io: 'float32', pureInteger: false });
  return sourceOf(writeTflite(quantizeForTflite(smallNet(), plan, { io: 'float32' }).graph).bytes);
}

/** A dense layer on reals with integer weights. */
const hybridNet = sourceOf(
  rowFile({
    name: 'hybrid',
    tensors: {
      x: { shape: [1, 4] },
      w: {
        shape: [2, 4],
        dtype: 'int8',
        values: [1, -2, 3, 4, 5, -6, 7, 8],
        quant: { scale: [0.1], zero_point: [0] },
      },
      y: { shape: [1, 2] },
    },
    operators: [
      { op: 'FULLY_CONNECTED', inputs: ['x', 'w'], outputs: ['y'], options: ['FullyConnectedOptions', {}] },
    ],
    inputs: ['x'],
    outputs: ['y'],
  }),
);

describe('a source that is quantized', () => {
  it.each([
    ['int8', integerNet()],
    ['weights-int8', hybridNet],
  ] as const)('%s is written in its own precision as ONNX', (precision, source) => {
    const { plan, io } = keepNumbers(source, source.graph!, [{ precision, format: 'onnx' }]);
    expect(plan.precision).toBe(precision);
    expect(io).toBe('float32');
  });

  it.each([
    ['int8', 'tflite'],
    ['float16', 'onnx'],
    ['int16x8', 'onnx'],
  ] as const)('is not made %s .%s, with the reason and what can be had', (precision, format) => {
    const source = integerNet();
    const wish = () =>
      keepNumbers(source, source.graph!, [
        { precision: 'int8', format: 'onnx' },
        { precision, format },
      ]);
    expect(wish).toThrow(
      expect.objectContaining({
        code: 'model.already-quantized',
        hint: expect.stringContaining('--precision int8 --format onnx'),
      }),
    );
  });

  it('is refused as it is in other formats', () => {
    const source = { ...integerNet(), format: 'onnx' as const };
    expect(() => keepNumbers(source, source.graph!, [{ precision: 'int8', format: 'onnx' }])).toThrow(
      'is quantized already;',
    );
  });
});
