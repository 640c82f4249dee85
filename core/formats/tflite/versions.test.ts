import { describe, expect, it } from 'vitest';
import type { DType } from '../../ir/dtype.ts';
import {
  newestRuntime,
  type OperatorSignature,
  operatorVersion,
  runtimeOf,
  type SignatureTensor,
} from './versions.ts';

const t = (
  dtype: DType,
  shape: number[] = [1, 4, 4, 8],
  extra: Partial<SignatureTensor> = {},
): SignatureTensor => ({
  dtype,
  shape,
  ...extra,
});
const perAxis = { perAxis: true, scales: [1, 2] };
const weights = (dtype: DType, extra = {}) => t(dtype, [8, 3, 3, 8], extra);

/** Version and first runtime as TensorFlow's op_version.cc and runtime_version.cc give them. */
const rows: [string, Partial<OperatorSignature> & { inputs: (SignatureTensor | null)[] }, number, string][] =
  [
    ['CONV_2D', { inputs: [t('float32'), weights('float32'), t('float32', [8])] }, 1, '1.5.0'],
    ['CONV_2D', { inputs: [t('float32'), t('float32', [8, 3, 3, 4]), null] }, 6, '2.9.0'],
    ['CONV_2D', { inputs: [t('int8'), weights('int8', perAxis), t('int32', [8])] }, 3, '1.14.0'],
    ['CONV_2D', { inputs: [t('int8'), weights('int4'), t('int32', [8])] }, 7, '2.11.0'],
    ['CONV_2D', { inputs: [t('float32'), weights('int8', perAxis), null] }, 5, '2.4.0'],
    ['CONV_2D', { inputs: [t('float32'), weights('int8'), null] }, 2, '1.14.0'],
    ['CONV_2D', { inputs: [t('int16'), weights('int8', perAxis), t('int64', [8])] }, 4, '2.3.0'],
    ['DEPTHWISE_CONV_2D', { inputs: [t('float32'), weights('float32'), null] }, 1, '1.5.0'],
    [
      'DEPTHWISE_CONV_2D',
      { inputs: [t('float32'), weights('float32'), null], options: { dilation_w_factor: 2 } },
      2,
      '1.12.0',
    ],
    ['DEPTHWISE_CONV_2D', { inputs: [t('float32'), weights('int8', perAxis), null] }, 6, '2.3.0'],
    ['FULLY_CONNECTED', { inputs: [t('float32', [1, 4]), t('float32', [2, 4]), null] }, 1, '1.5.0'],
    ['FULLY_CONNECTED', { inputs: [t('float32', [1, 4]), t('float32', [2, 4])] }, 6, '2.1.0'],
    [
      'FULLY_CONNECTED',
      { inputs: [t('float32', [1, 4]), t('float32', [2, 4]), null], options: { keep_num_dims: true } },
      5,
      '2.0.0',
    ],
    [
      'FULLY_CONNECTED',
      {
        inputs: [t('float32', [1, 4]), t('int8', [2, 4], perAxis), null],
        options: { asymmetric_quantize_inputs: true },
      },
      12,
      '2.17.0',
    ],
    [
      'FULLY_CONNECTED',
      {
        inputs: [t('float32', [1, 4]), t('int8', [2, 4]), null],
        options: { asymmetric_quantize_inputs: true },
      },
      9,
      '2.3.0',
    ],
    ['FULLY_CONNECTED', { inputs: [t('int8', [1, 4]), t('int4', [2, 4]), null] }, 10, '2.11.0'],
    ['TRANSPOSE_CONV', { inputs: [t('int32', [4]), weights('float32'), t('float32')] }, 1, '1.9.0'],
    [
      'TRANSPOSE_CONV',
      { inputs: [t('int32', [4]), weights('float32'), t('float32'), t('float32', [8])] },
      3,
      '2.3.0',
    ],
    [
      'TRANSPOSE_CONV',
      { inputs: [t('int32', [4]), weights('int8'), t('int8')], options: { fused_activation_function: 1 } },
      4,
      '2.13.0',
    ],
    ['ADD', { inputs: [t('int16', [1], { scales: [1] })], options: { pot_scale_int16: false } }, 3, '2.4.0'],
    ['ADD', { inputs: [t('int64')] }, 4, '2.6.0'],
    ['MUL', { inputs: [t('int8', [1], { scales: [0.5] }), t('int8', [1], { scales: [0.5] })] }, 2, '1.14.0'],
    ['QUANTIZE', { inputs: [t('float32')] }, 1, '1.14.0'],
    ['DEQUANTIZE', { inputs: [t('float16')] }, 3, '1.15.0'],
    ['DEQUANTIZE', { inputs: [t('int8', [8], perAxis)] }, 5, '2.7.0'],
    ['DEQUANTIZE', { inputs: [t('int4')] }, 6, '2.18.0'],
    ['TRANSPOSE', { inputs: [t('float32', [1, 1, 1, 1, 1, 1])] }, 6, '2.12.0'],
    ['STRIDED_SLICE', { inputs: [t('float32', [1, 1, 1, 1, 1])] }, 4, '2.2.0'],
    ['MAXIMUM', { inputs: [t('float32', [1, 2, 1, 1, 1]), t('float32', [2, 1, 1, 1, 1])] }, 3, '2.3.0'],
    ['RESIZE_BILINEAR', { inputs: [t('float32')], options: { half_pixel_centers: true } }, 3, '2.2.0'],
    ['BROADCAST_TO', { inputs: [t('float32')] }, 2, '2.5.0'],
    ['GELU', { inputs: [t('float32')] }, 1, '2.9.0'],
    ['SOFTMAX', { inputs: [t('int16')] }, 3, '2.3.0'],
  ];

describe('operator versions', () => {
  it.each(rows)('%s %o is version %d, since %s', (builtin, given, version, runtime) => {
    const signature = { builtin, outputs: [given.inputs[0] ?? t('float32')], options: {}, ...given };
    expect(operatorVersion(signature)).toBe(version);
    expect(runtimeOf(builtin, version)).toBe(runtime);
  });

  it('a product that grows the scale needs version 3', () => {
    const one = t('int8', [1], { scales: [0.5] });
    const options = {};
    const output = t('int8', [1], { scales: [0.2] });
    expect(operatorVersion({ builtin: 'MUL', inputs: [one, one], outputs: [output], options })).toBe(3);
  });

  it('compares runtimes by number, not by text', () => {
    expect(newestRuntime(['2.9.0', '2.11.0', undefined, '1.14.0'])).toBe('2.11.0');
    expect(newestRuntime([])).toBe('1.5.0');
  });
});
