import { constant, rank, refuse, staticShapes } from './checks.ts';
import { operatorsNamed } from './integer-rules.ts';
import type { Check, Fix, TargetRules } from './target-rules.ts';

const toHalf: Fix = {
  text: 'Use float16: the Neural Engine computes in it.',
  recipe: { precision: 'float16', io: 'float32' },
};

const floats: Check = (node) => {
  const moving = [...node.inputs.filter((tensor) => tensor && !tensor.isConstant), ...node.outputs];
  const wrong = moving.find((tensor) => tensor && tensor.typeName !== 'float32');
  return wrong
    ? refuse(`takes float activations, and ${wrong.name} is ${wrong.typeName}`, toHalf)
    : undefined;
};
const floatWeights: Check = ({ inputs }) => {
  const wrong = inputs.find(
    (tensor) => tensor?.isConstant && ['int8', 'int4', 'uint8'].includes(tensor.typeName),
  );
  return wrong ? refuse(`takes float weights, and ${wrong.name} is ${wrong.typeName}`, toHalf) : undefined;
};

/** TensorFlow Lite's Core ML delegate. */
export const coreMl: TargetRules = {
  id: 'core-ml',
  name: 'Apple Neural Engine (Core ML delegate)',
  source: 'LiteRT, tflite/delegates/coreml',
  parts: 'largest',
  unpacksConstants: true,
  rest: 'the CPU',
  every: [staticShapes, floats, floatWeights],
  missing: () => undefined,
  operators: {
    ...operatorsNamed(
      'ADD AVERAGE_POOL_2D CONCATENATION HARD_SWISH LOGISTIC MAX_POOL_2D MIRROR_PAD MUL RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR SOFTMAX TANH',
    ),
    CONV_2D: [constant(1, 2)],
    DEPTHWISE_CONV_2D: [constant(1, 2)],
    FULLY_CONNECTED: [
      constant(1, 2),
      ({ inputs: [input] }) => ((input?.shape[0] ?? 1) === 1 ? undefined : refuse('takes a batch of 1')),
    ],
    PAD: [rank(4, 4), constant(1)],
    TRANSPOSE_CONV: [constant(1, 3)],
  },
};
