import { refuse, staticShapes } from './checks.ts';
import { integersOnly, noBlocks, noHybrid, operatorsNamed } from './integer-rules.ts';
import type { Check, Fix, TargetRules } from './target-rules.ts';

const int8: Fix = {
  text: 'Use static int8, or int16x8 where that loses too much.',
  recipe: { precision: 'int8' },
};

const common =
  'ABS ADD ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D ' +
  'DEPTH_TO_SPACE DEQUANTIZE DIV ELU EQUAL EXP EXPAND_DIMS FULLY_CONNECTED GATHER GREATER GREATER_EQUAL HARD_SWISH ' +
  'L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL ' +
  'PACK PAD PADV2 PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR ' +
  'RESIZE_NEAREST_NEIGHBOR RSQRT SELECT SELECT_V2 SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SQRT ' +
  'SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TILE TOPK_V2 TRANSPOSE TRANSPOSE_CONV UNPACK';

const quantizedEnds = new Set(['QUANTIZE', 'DEQUANTIZE']);
const quantized: Check = (node) =>
  quantizedEnds.has(node.op)
    ? undefined
    : integersOnly(['int8', 'uint8', 'int16', 'int32', 'int64', 'bool'], int8)(node);

/** Qualcomm's HTP through LiteRT's accelerator. */
export const qnn: TargetRules = {
  id: 'qnn',
  name: 'Qualcomm NPU (QNN)',
  source: 'LiteRT, Qualcomm accelerator; Qualcomm AI Engine Direct, HTP',
  parts: 'all',
  rest: 'the CPU',
  every: [staticShapes, noBlocks, noHybrid, quantized],
  missing: () => undefined,
  operators: {
    ...operatorsNamed(common),
    ...operatorsNamed(
      'BROADCAST_TO CEIL COS CUMSUM FLOOR FLOOR_DIV GATHER_ND GELU LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOG_SOFTMAX ONE_HOT POW RELU_0_TO_1 REVERSE_V2 ROUND SCATTER_ND SIGN SIN SPLIT_V SQUARE',
    ),
    FLOOR_MOD: [
      ({ outputs: [output] }) => (output.typeName === 'int32' ? undefined : refuse('takes int32 only')),
    ],
  },
};

const smallFilters: Check = ({ inputs: [, filter], options }) => {
  const sides = filter?.shape.slice(1, 3) ?? [];
  if (sides.some((side) => side > 16)) return refuse(`takes windows up to 16, not ${sides.join('×')}`);
  const strides = [options.stride_w, options.stride_h].map((stride) => Number(stride ?? 1));
  return strides.some((stride) => ![1, 2, 3, 4, 8].includes(stride))
    ? refuse(`takes strides 1, 2, 3, 4 and 8, not ${strides.join('×')}`)
    : undefined;
};
const ungrouped: Check = ({ inputs: [input, filter] }) =>
  input && filter && input.shape[3] !== filter.shape[3] ? refuse('has no grouped convolution') : undefined;

/** MediaTek's APU through Neuron. Some of its chips refuse scales for each channel; a file without stays possible. */
export const mediatek: TargetRules = {
  id: 'mediatek',
  name: 'MediaTek NPU (Neuron)',
  source: 'MediaTek NeuroPilot, supported operations; MDLA 2',
  parts: 'all',
  rest: 'the CPU',
  every: [staticShapes, noBlocks, noHybrid, quantized],
  missing: () => undefined,
  operators: {
    ...operatorsNamed(common),
    CONV_2D: [smallFilters, ungrouped],
    DEPTHWISE_CONV_2D: [smallFilters],
  },
};
