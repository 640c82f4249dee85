import {
  constant,
  inputCount,
  inputTypes,
  maxVersion,
  option,
  rank,
  refuse,
  sameTypes,
  staticShapes,
} from './checks.ts';
import type { Check, Fix, TargetRules } from './target-rules.ts';

const toHalf: Fix = {
  text: 'Use float16: the GPU computes in float, and this file is then half the size.',
  recipe: { precision: 'float16', io: 'float32' },
};

/** Activations that the GPU can hold: float, and 8 bits seen as float. */
const activations: Check = (node) => {
  const moving = [...node.inputs.filter((tensor) => tensor && !tensor.isConstant), ...node.outputs];
  const wrong = moving.find(
    (tensor) => tensor && !['float32', 'float16', 'int8', 'uint8', 'int32', 'bool'].includes(tensor.typeName),
  );
  return wrong ? refuse(`holds no ${wrong.typeName} activations (${wrong.name})`, toHalf) : undefined;
};

const noInt4: Check = ({ inputs }) =>
  inputs.some((tensor) => tensor?.typeName === 'int4') ? refuse('takes no int4 weights', toHalf) : undefined;

const floatWeights: Check = ({ inputs: [input, weights] }) =>
  input?.typeName === 'float32' && weights?.typeName === 'int8'
    ? refuse('takes no int8 weights with float activations', toHalf)
    : undefined;

const version = (most: number): Check => maxVersion(most, toHalf);
const reduce: Check[] = [inputTypes(['int32'], [1]), constant(1)];

/** `tflite/tools/versioning/gpu_compatibility.cc` of LiteRT: what the GPU delegate says it takes. */
export const litertGpu: TargetRules = {
  id: 'litert-gpu',
  name: 'Android GPU (LiteRT)',
  source: 'LiteRT, tflite/tools/versioning/gpu_compatibility.cc',
  parts: 'largest',
  unpacksConstants: true,
  rest: 'the CPU',
  every: [staticShapes, activations, rank(0, 4, 'all')],
  missing: () => ({ text: 'The CPU runs it; keep such operators at one end of the graph.' }),
  operators: {
    ...Object.fromEntries(
      'ABS COS ELU EXP FLOOR GELU HARD_SWISH LOG LOGISTIC NEG RELU RELU6 RELU_N1_TO_1 RSQRT SIGN SIN SQRT SQUARE TANH CEIL ROUND'
        .split(' ')
        .map((op): [string, Check[]] => [op, []]),
    ),
    ...Object.fromEntries(
      'ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND'
        .split(' ')
        .map((op): [string, Check[]] => [op, [inputCount(2)]]),
    ),
    AVERAGE_POOL_2D: [version(2)],
    BATCH_MATMUL: [],
    CAST: [],
    CONCATENATION: [version(2)],
    CONV_2D: [noInt4, version(6), constant(1), floatWeights],
    CUMSUM: [version(1)],
    DEPTHWISE_CONV_2D: [version(6), constant(1), floatWeights, rank(4, 4)],
    DEPTH_TO_SPACE: [version(1)],
    DEQUANTIZE: [
      version(3),
      ({ inputs: [input] }) =>
        input?.typeName === 'int16' ? refuse('takes no int16 to dequantize', toHalf) : undefined,
    ],
    FULLY_CONNECTED: [
      version(9),
      noInt4,
      // LiteRT's accelerator takes float inputs with int8 weights here, as was measured on its WebGPU form.
      option('weights_format', [0], 'takes the plain order of weights only'),
      ({ inputs }) => (inputs[0]?.isConstant ? refuse('takes no constant input') : undefined),
      ({ options, inputs: [input], outputs: [output] }) =>
        options.keep_num_dims && input && input.shape.length !== output.shape.length
          ? refuse('keeps the number of axes')
          : undefined,
    ],
    GATHER: [
      version(1),
      ({ inputs: [, indices] }) =>
        indices && (indices.shape.length !== 1 || indices.typeName !== 'int32')
          ? refuse('takes int32 indices with one axis')
          : undefined,
    ],
    LEAKY_RELU: [],
    MAX_POOL_2D: [version(2)],
    MEAN: reduce,
    MIRROR_PAD: [option('mode', [0], 'mirrors without the border only')],
    ONE_HOT: [version(1)],
    PACK: [],
    PAD: [
      version(2),
      ({ inputs: [, pads] }) =>
        pads && ![3, 4].includes(pads.shape[0]) ? refuse('pads three or four axes') : undefined,
    ],
    PRELU: [version(1), constant(1)],
    QUANTIZE: [
      version(2),
      ({ outputs: [output] }) => (output.typeName === 'int16' ? refuse('makes no int16', toHalf) : undefined),
    ],
    REDUCE_MAX: reduce,
    REDUCE_MIN: reduce,
    REDUCE_PROD: reduce,
    RESHAPE: [version(1)],
    RESIZE_BILINEAR: [
      version(3),
      ({ options }) =>
        options.align_corners && options.half_pixel_centers
          ? refuse('aligns corners or takes half pixels, not both')
          : undefined,
    ],
    RESIZE_NEAREST_NEIGHBOR: [version(3)],
    SELECT_V2: [version(1)],
    SLICE: [version(2), rank(3, 4)],
    SOFTMAX: [version(2), option('beta', [1], 'takes beta 1 only')],
    SPACE_TO_DEPTH: [],
    SPLIT: [],
    SPLIT_V: [],
    STRIDED_SLICE: [
      version(4),
      rank(3, 4),
      ({ options }) =>
        options.ellipsis_mask || options.new_axis_mask || options.shrink_axis_mask
          ? refuse('takes no ellipsis, new or dropped axis')
          : undefined,
    ],
    SUM: reduce,
    TILE: [],
    TOPK_V2: [],
    TRANSPOSE: [version(4)],
    TRANSPOSE_CONV: [
      version(3),
      sameTypes([2]),
      option('fused_activation_function', [0], 'fuses no activation here'),
      constant(1),
    ],
    Convolution2DTransposeBias: [],
    MaxPoolingWithArgmax2D: [],
    MaxUnpooling2D: [],
  },
};
