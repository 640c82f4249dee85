import { refuse, staticShapes } from './checks.ts';
import {
  bounded,
  integersOnly,
  noBlocks,
  noHybrid,
  operatorsNamed,
  pureInt8,
  scaled,
} from './integer-rules.ts';
import type { Check, TargetRules } from './target-rules.ts';

/** The resolver of TensorFlow Lite Micro. */
const microOperators =
  'ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS ' +
  'BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DECODE DEPTH_TO_SPACE DEPTHWISE_CONV_2D ' +
  'DEQUANTIZE DIV ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER ' +
  'GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG ' +
  'LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG ' +
  'NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE ' +
  'RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX ' +
  'SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF ' +
  'TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE';

const noHalf: Check = ({ inputs, outputs }) =>
  [...inputs, ...outputs].some((tensor) => tensor?.typeName === 'float16')
    ? refuse('has no float16', pureInt8)
    : undefined;

/** TensorFlow Lite Micro: any microcontroller with its reference kernels. All operators, or the model does not run. */
export const tflm: TargetRules = {
  id: 'tflm',
  name: 'Microcontroller (TFLM)',
  source: 'TensorFlow Lite Micro, its operator resolver and kernels',
  parts: 'none',
  every: [staticShapes, noHalf, noHybrid, noBlocks],
  missing: (op) => ({ text: `TFLM would need a ${op} of your own.` }),
  operators: operatorsNamed(microOperators),
};

const int8 = integersOnly(['int8', 'int32', 'bool'], pureInt8);
const int8Or16 = integersOnly(['int8', 'int16', 'int32', 'bool'], pureInt8);

/** CMSIS-NN's optimized kernels below TFLM, on Cortex-M. */
export const cmsisNn: TargetRules = {
  id: 'cmsis-nn',
  name: 'Cortex-M (CMSIS-NN)',
  source: 'CMSIS-NN, table of operators',
  parts: 'all',
  rest: 'TFLM’s reference kernels, many times slower',
  every: [staticShapes, noHybrid, scaled],
  missing: () => undefined,
  operators: {
    ...operatorsNamed(
      'ADD AVERAGE_POOL_2D BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED MAX_POOL_2D MUL SOFTMAX UNIDIRECTIONAL_SEQUENCE_LSTM',
      [int8Or16],
    ),
    ...operatorsNamed('MAXIMUM MINIMUM PAD SVDF TRANSPOSE TRANSPOSE_CONV', [int8]),
    // Nothing to optimize: they copy, or only rename the data.
    ...operatorsNamed('CONCATENATION RESHAPE SQUEEZE EXPAND_DIMS QUANTIZE', [int8Or16]),
  },
};

const perAxis = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D', 'TRANSPOSE_CONV', 'FULLY_CONNECTED']);
const scalesPerAxis: Check = ({ op, inputs }) =>
  !perAxis.has(op) && inputs.some((tensor) => (tensor?.quant?.scales.length ?? 0) > 1)
    ? refuse('takes scales for each channel in convolutions only')
    : undefined;

/** Ethos-U55 and U65 through Vela, on top of TFLM. */
export const ethosU: TargetRules = {
  id: 'ethos-u',
  name: 'Ethos-U (Vela)',
  source: 'Vela 3.12, SUPPORTED_OPS',
  parts: 'all',
  rest: 'the Cortex-M beside it',
  every: [
    staticShapes,
    integersOnly(['int8', 'uint8', 'int16', 'int32'], pureInt8),
    scaled,
    bounded(4, 65_535),
    scalesPerAxis,
  ],
  missing: () => ({ text: 'Vela leaves it to the CPU: replace the operator, or move it to the end.' }),
  operators: operatorsNamed(
    'ABS ADD ARG_MAX AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXP EXPAND_DIMS FULLY_CONNECTED ' +
      'HARD_SWISH LEAKY_RELU LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL PACK PAD PRELU QUANTIZE RELU ' +
      'RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SHAPE SLICE SOFTMAX SPLIT ' +
      'SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK',
  ),
};
