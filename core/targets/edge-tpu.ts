import { activation, byte, constant, option, outputCount, refuse, staticShapes } from './checks.ts';
import { integersOnly, operatorsNamed, pureInt8, scaled } from './integer-rules.ts';
import type { Check, TargetRules } from './target-rules.ts';

const noActivation = activation([0], 'fuses no activation here');
const innerThree: Check = (node) => {
  const wide = [...node.inputs, ...node.outputs].find(
    (tensor) => tensor && !tensor.isConstant && tensor.shape.slice(0, -3).some((dim) => dim > 1),
  );
  return wide ? refuse(`takes more than one in the inner three axes only (${wide.name})`) : undefined;
};
const sameDilation: Check = ({ options }) =>
  Number(options.dilation_w_factor ?? 1) === Number(options.dilation_h_factor ?? 1)
    ? undefined
    : refuse('takes the same dilation in both directions');

/** Operators of the Edge TPU's compiler (coral.ai, "TensorFlow models on the Edge TPU"). */
export const edgeTpu: TargetRules = {
  id: 'edge-tpu',
  name: 'Edge TPU',
  source: 'coral.ai, "TensorFlow models on the Edge TPU", with its compiler’s limits',
  parts: 'first',
  rest: 'the CPU',
  every: [staticShapes, integersOnly([...byte, 'int32']), scaled, innerThree],
  missing: (op) =>
    op === 'DEQUANTIZE'
      ? pureInt8
      : { text: 'What comes after it runs on the CPU: replace the operator, or move it to the end.' },
  operators: {
    ...operatorsNamed(
      'ADD MUL SUB MAXIMUM MINIMUM LOGISTIC TANH RELU RELU6 RELU_N1_TO_1 L2_NORMALIZATION PAD PACK REDUCE_MAX REDUCE_MIN RESHAPE EXPAND_DIMS SLICE SPACE_TO_DEPTH RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR QUANTIZE TRANSPOSE SQUARED_DIFFERENCE RSQRT SUM UNIDIRECTIONAL_SEQUENCE_LSTM',
    ),
    CONV_2D: [constant(1, 2), sameDilation],
    DEPTHWISE_CONV_2D: [constant(1, 2), sameDilation],
    TRANSPOSE_CONV: [constant(1, 3)],
    FULLY_CONNECTED: [constant(1, 2), option('weights_format', [0], 'takes the plain order of weights only')],
    AVERAGE_POOL_2D: [noActivation],
    MAX_POOL_2D: [noActivation],
    CONCATENATION: [noActivation],
    MEAN: [constant(1)],
    PRELU: [constant(1)],
    SOFTMAX: [
      ({ inputs: [input] }) =>
        (input?.shape.at(-1) ?? 0) > 16_000 ? refuse('takes at most 16,000 classes') : undefined,
    ],
    SPLIT: [outputCount(1, 64)],
    SQUEEZE: [
      ({ inputs: [input], outputs: [output] }) => {
        const dropped = (input?.shape.length ?? 0) - output.shape.length;
        return input?.shape.slice(0, dropped).every((dim) => dim === 1)
          ? undefined
          : refuse('drops leading axes only');
      },
    ],
    STRIDED_SLICE: [
      ({ options }) =>
        options.ellipsis_mask || options.new_axis_mask ? refuse('takes no ellipsis or new axis') : undefined,
    ],
  },
};
