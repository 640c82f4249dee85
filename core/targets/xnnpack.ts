import {
  activation,
  anyOf,
  byte,
  constant,
  float,
  floatOrByte,
  inputCount,
  inputTypes,
  numbersOf,
  option,
  outputCount,
  present,
  rank,
  refuse,
  sameQuant,
  sameTypes,
  scaleRatio,
  types,
} from './checks.ts';
import type { NodeFacts, TensorFacts } from './node-facts.ts';
import type { Check, Fix, TargetRules } from './target-rules.ts';

const maxRank = 6;
const clamps = [0, 1, 2, 3];
const toFloat: Fix = {
  text: 'XNNPACK has only the float form: let this operator stay in float, or keep it at the end of the graph.',
};
const toInt8: Fix = {
  text: 'Use int8 activations: 16-bit ones run in the built-in kernels.',
  recipe: { precision: 'int8' },
};

const clampOnly = activation(clamps, 'fuses only ReLU, ReLU6 and ReLU −1…1');

/** 8-bit tensors need one scale; which operators take them is in the table below. */
const quantized: Check = (node) => {
  const all = [...node.inputs.filter((tensor) => tensor !== null && !tensor.isConstant), ...node.outputs];
  const bare = all.find(
    (tensor) => tensor && byte.includes(tensor.typeName as 'int8') && tensor.quant?.scales.length !== 1,
  );
  return bare ? refuse(`needs one scale for ${bare.name}`) : undefined;
};

const activations = (slots: readonly number[] | 'all' = [0]): Check => {
  const fits = types(floatOrByte, slots);
  return (node) => {
    const refusal = fits(node);
    const wide = [...node.inputs, ...node.outputs].some((tensor) => tensor?.typeName === 'int16');
    return refusal && wide ? { ...refusal, fix: toInt8 } : (refusal ?? quantized(node));
  };
};

/** Scales of a filter lie along its output channels; per-channel zero points are 0. */
function filterScales(slot: number, axis: number): Check {
  return ({ inputs }) => {
    const filter = inputs[slot];
    if (!filter || !['int8', 'uint8', 'int4'].includes(filter.typeName)) return undefined;
    if (filter.hasQuantDetails) return undefined;
    if (!filter.quant) return refuse(`needs scales for ${filter.name}`);
    const { scales, zeroPoints } = filter.quant;
    if (scales.length > 1 && filter.quant.axis !== axis)
      return refuse(`takes scales of ${filter.name} along axis ${axis}`);
    if (scales.length > 1 && zeroPoints[0] !== 0 && filter.typeName === 'int8')
      return refuse(`takes per-channel weights with zero point 0`);
    return undefined;
  };
}

/** Float inputs with int8 weights are quantized as they come. */
function weightTypes(filterSlot: number, inputSlot: number, mixed: readonly string[]): Check {
  return ({ inputs, outputs: [output] }) => {
    const input = inputs[inputSlot];
    const filter = inputs[filterSlot];
    if (!input || !filter) return undefined;
    if (input.typeName !== output.typeName) return refuse(`mixes ${input.typeName} and ${output.typeName}`);
    const given = `${input.typeName}×${filter.typeName}`;
    return input.typeName === filter.typeName || mixed.includes(given)
      ? undefined
      : refuse(`has no kernel for ${input.typeName} inputs with ${filter.typeName} weights`);
  };
}

const bias = (slot: number): Check[] => [
  inputTypes(['float32', 'float16', 'int32'], [slot]),
  ({ inputs }) =>
    (inputs[slot]?.shape.length ?? 1) === 1 ? undefined : refuse('takes a bias with one axis'),
  constant(slot),
];

const withoutBias: Fix = { text: 'Give the convolution a bias of zeros.' };

const conv = (axis: number, mixed: readonly string[]): Check[] => [
  inputCount(3),
  activations(),
  inputTypes(floatOrByte, [1]),
  filterScales(1, axis),
  rank(4, 4, [0, 1]),
  constant(1),
  present(2, 'a bias', withoutBias),
  ...bias(2),
  weightTypes(1, 0, mixed),
  clampOnly,
];

const wholeGroups: Check = ({ inputs }) =>
  (inputs[0]?.shape[3] ?? 0) < (inputs[1]?.shape[3] ?? 1) ? refuse('needs whole groups') : undefined;

const depthwise: Check = ({ options, inputs }) => {
  const multiplier = Number(options.depth_multiplier ?? 0);
  const channels = inputs[1]?.shape[3] ?? 0;
  return multiplier > 0 && channels % multiplier === 0
    ? undefined
    : refuse(`needs a depth multiplier that divides ${channels} channels`);
};

const pool: Check[] = [
  clampOnly,
  ({ options }) => {
    const [w, h, sw, sh] = ['filter_width', 'filter_height', 'stride_w', 'stride_h'].map((name) =>
      Number(options[name] ?? 0),
    );
    return sw > w || sh > h ? refuse(`takes no stride (${sh}×${sw}) over the window (${h}×${w})`) : undefined;
  },
];

const fullyConnected: Check[] = [
  option('weights_format', [0], 'takes the plain order of weights only'),
  ({ version }) => (version === 8 ? refuse('has no sparse weights') : undefined),
  inputCount(2, 3),
  activations(),
  rankOf(1, 2),
  inputTypes(['float32', 'float16', 'int8', 'uint8', 'int4'], [1]),
  filterScales(1, 0),
  constant(1, 2),
  inputTypes(['float32', 'float16', 'int32'], [2]),
  weightTypes(1, 0, ['float32×int8', 'float32×int4', 'int8×int4']),
  ({ inputs: [, filter] }) =>
    filter?.typeName === 'int4' && filter.shape[1] % 2 === 1
      ? refuse('takes int4 weights with an even number of inputs')
      : undefined,
  clampOnly,
];

const empty: NodeFacts = { index: 0, name: '', op: '', version: 1, inputs: [], outputs: [], options: {} };

function rankOf(slot: number, axes: number): Check {
  return ({ inputs }) =>
    inputs[slot] && inputs[slot].shape.length !== axes
      ? refuse(`takes ${axes} axes for ${inputs[slot].name}`)
      : undefined;
}

const unary = (...allowed: Check[]): Check[] => [inputCount(1), rank(0, maxRank), ...allowed];
const floatUnary = unary(types(['float32', 'float16'], [0], toFloat));
const noEmpty: Check = ({ inputs, outputs }) =>
  [...inputs, ...outputs].some((tensor) => tensor?.shape.includes(0))
    ? refuse('takes no empty tensor')
    : undefined;
const binary = (...own: Check[]): Check[] => [inputCount(2), rank(0, maxRank, 'all'), noEmpty, ...own];
const sum = binary(activations('all'), sameTypes('all'), scaleRatio([0, 1], 2 ** -10, 2 ** 8), clampOnly);

const product: Check = ({ inputs: [a, b], outputs: [output] }) => {
  if (!a || !b || !byte.includes(output.typeName as 'int8')) return undefined;
  const scale = (tensor: TensorFacts): number => tensor.quant?.scales[0] ?? 1;
  const ratio = (scale(a) * scale(b)) / scale(output);
  return ratio < 2 ** -16 || ratio >= 2 ** 8
    ? refuse(`takes products of scales of 2⁻¹⁶ to 2⁸ output scales, not ${ratio}`)
    : undefined;
};

const quantize: Check = ({ inputs: [input], outputs: [output] }) => {
  if (!input) return undefined;
  if (!floatOrByte.includes(input.typeName as 'int8') || !byte.includes(output.typeName as 'int8'))
    return refuse(`has no conversion from ${input.typeName} to ${output.typeName}`, toInt8);
  if (input.typeName === 'float32' || input.typeName === output.typeName) return undefined;
  return refuse(`has no conversion from ${input.typeName} to ${output.typeName}`, {
    text: 'Give the model int8 or float inputs and outputs.',
    recipe: { io: 'int8' },
  });
};

const leaky: Check = ({ options, inputs: [input], outputs: [output] }) => {
  const alpha = Number(options.alpha ?? 0);
  if (!(Math.abs(alpha) >= 2 ** -126)) return refuse(`takes no slope of ${alpha}`);
  if (!input?.quant || !output.quant) return undefined;
  const positive = input.quant.scales[0] / output.quant.scales[0];
  const negative = positive * alpha;
  const isFine =
    positive >= 2 ** -8 &&
    positive <= 128 &&
    negative >= -127.99609375 &&
    negative <= 128 &&
    Math.abs(negative) >= 2 ** -8;
  return isFine ? undefined : refuse('takes neither so small nor so large a ratio of scales');
};

const reduce: Check[] = [inputCount(2), activations(), inputTypes(['int32'], [1]), constant(1)];

const strided: Check[] = [
  ({ options }) =>
    options.ellipsis_mask || options.new_axis_mask || options.shrink_axis_mask
      ? refuse('takes no ellipsis, new or dropped axis')
      : undefined,
  constant(1, 2, 3),
  inputTypes(['int32'], [1, 2, 3]),
  activations(),
  ({ inputs }) =>
    numbersOf(inputs[3])?.some((stride) => stride !== 1) ? refuse('takes strides of 1 only') : undefined,
  ({ inputs, options }) => {
    const shape = inputs[0]?.shape ?? [];
    const [begin, end] = [numbersOf(inputs[1]) ?? [], numbersOf(inputs[2]) ?? []];
    const [beginMask, endMask] = [Number(options.begin_mask ?? 0), Number(options.end_mask ?? 0)];
    if (begin.length !== shape.length) return refuse('needs a range for each axis');
    const outside = shape.some((extent, axis) => {
      const from = beginMask & (1 << axis) ? 0 : begin[axis];
      const given = options.offset ? end[axis] + from : end[axis];
      const to = endMask & (1 << axis) ? 0 : given;
      const offset = from < 0 ? from + extent : from;
      return offset + (to <= 0 ? to + extent - offset : to - offset) > extent;
    });
    return outside ? refuse('takes ranges inside of the tensor only') : undefined;
  },
];

const zeroPointZero: Check = ({ inputs: [, b] }) =>
  b?.quant?.zeroPoints.some((point) => point !== 0)
    ? refuse(`takes ${b.name} with zero point 0 only`, toFloat)
    : undefined;

const batchMatMul: Check[] = [
  anyOf(
    [types(['int8']), inputTypes(['int8'], [1])],
    [types(float, [0], toFloat), inputTypes(['float32', 'int8'], [1], toFloat)],
  ),
  ({ inputs: [, b] }) =>
    b?.typeName === 'int8' ? zeroPointZero({ ...empty, inputs: [null, b] }) : undefined,
  rank(2, maxRank, [0, 1]),
];

const mediaPipe: Check[] = [types(float), rank(4, 4)];

/** `Delegate` of tflite/delegates/xnnpack/xnnpack_delegate.cc, operator by operator. */
export const xnnpack: TargetRules = {
  id: 'xnnpack',
  name: 'CPU (XNNPACK)',
  source: 'LiteRT, tflite/delegates/xnnpack/xnnpack_delegate.cc',
  parts: 'all',
  unpacksConstants: true,
  rest: 'the built-in CPU kernels',
  operators: {
    ...Object.fromEntries(
      'ABS CEIL COS EXP FLOOR GELU HARD_SWISH LOG NEG RELU_N1_TO_1 RELU RELU6 ROUND RSQRT SIN SQRT SQUARE'
        .split(' ')
        .map((op) => [op, floatUnary]),
    ),
    DEQUANTIZE: unary(inputTypes(byte, [0], toInt8), quantized),
    ELU: unary(types(['float32', 'int8']), quantized),
    LOGISTIC: unary(activations()),
    TANH: unary(activations()),
    LEAKY_RELU: unary(activations(), leaky),
    QUANTIZE: unary(quantize, scaleRatio([0], 2 ** -8, 128, false)),
    ADD: sum,
    SUB: sum,
    MUL: binary(activations('all'), sameTypes('all'), product, clampOnly),
    DIV: binary(types(float, 'all', toFloat), clampOnly),
    MAXIMUM: binary(types(float, 'all', toFloat)),
    MINIMUM: binary(types(float, 'all', toFloat)),
    SQUARED_DIFFERENCE: binary(types(float, 'all', toFloat)),
    PRELU: binary(types(float, 'all', toFloat), constant(1)),
    AVERAGE_POOL_2D: [inputCount(1), types(float, [0], toFloat), ...pool],
    MAX_POOL_2D: [inputCount(1), activations(), ...pool],
    BATCH_MATMUL: batchMatMul,
    CONCATENATION: [inputCount(2, 5), activations('all'), sameQuant('all', ['uint8', 'int8'])],
    CONV_2D: [...conv(0, ['float32×int8']), wholeGroups],
    DEPTHWISE_CONV_2D: [...conv(3, []), depthwise],
    DEPTH_TO_SPACE: [inputCount(1), activations()],
    SPACE_TO_DEPTH: [inputCount(1), activations()],
    FULLY_CONNECTED: fullyConnected,
    MEAN: reduce,
    SUM: reduce,
    REDUCE_MAX: reduce,
    REDUCE_MIN: reduce,
    PAD: [inputCount(2), activations(), inputTypes(['int32'], [1]), constant(1), rank(1, maxRank)],
    RESHAPE: [
      inputCount(1, 2),
      activations(),
      rank(0, maxRank),
      sameQuant([0], byte),
      inputTypes(['int32'], [1]),
      constant(1),
    ],
    RESIZE_BILINEAR: [inputCount(2), activations(), rank(4, 4), inputTypes(['int32'], [1]), constant(1)],
    SLICE: [
      constant(1, 2),
      inputTypes(['int32', 'int64'], [1, 2]),
      activations(),
      ({ inputs }) =>
        numbersOf(inputs[2])?.some((size) => size <= 0) ? refuse('takes given sizes only') : undefined,
    ],
    SOFTMAX: [option('beta', [1], 'takes beta 1 only'), inputCount(1), types(float, [0], toFloat)],
    SPLIT: [inputCount(2), outputCount(2, 4), inputTypes(['int32'], [0]), constant(0), activations([1])],
    STRIDED_SLICE: strided,
    TRANSPOSE: [inputCount(2), activations(), constant(1)],
    Convolution2DTransposeBias: [inputCount(3), ...mediaPipe, constant(1, 2)],
    MaxPoolingWithArgmax2D: [inputCount(1), inputTypes(float, [0]), rank(4, 4)],
    MaxUnpooling2D: [inputCount(2), inputTypes(float, [0]), rank(4, 4)],
    TRANSPOSE_CONV: [
      inputCount(3, 4),
      inputTypes(['int32'], [0]),
      constant(0, 1),
      activations([2]),
      inputTypes(['float32', 'int8', 'uint8'], [1]),
      filterScales(1, 0),
      rank(4, 4, [1, 2]),
      ...bias(3),
      weightTypes(1, 2, ['float32×int8']),
      clampOnly,
    ],
  },
};
