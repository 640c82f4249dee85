import type { OpDefinition, QuantRule } from '../facets.ts';
import {
  broadcastShapes,
  constantNumbers,
  countedElements,
  normalizeAxis,
  requiredInput,
  sameAsFirst,
  shapeText,
} from '../infer-helpers.ts';
import type { OpAttrs } from '../vocabulary.ts';

const activation = { kind: 'activation' } as const;

/** Input and output each with a range of their own. */
const ownRange: QuantRule = {
  inputs: [activation],
  outputs: [activation],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};
/** The same, where LiteRT's kernel has no 16-bit form. */
const ownRangeInt8: QuantRule = { ...ownRange, tflite: { int8: true, int16x8: false, dynamicInt8: false } };

/** Output parameters that the LiteRT 8-bit specification fixes. */
function fixedOutput(scale: number, zeroPoint: number, scale16: number, int16x8 = true): QuantRule {
  return {
    inputs: [activation],
    outputs: [{ kind: 'fixed', int8: { scale, zeroPoint }, int16: { scale: scale16 } }],
    tflite: { int8: true, int16x8, dynamicInt8: false },
  };
}

/** An activation that works on each element alone. `work` is its rough cost in multiply-accumulates per element. */
function pointwise<A>(summary: string, quant: QuantRule | null, work = 1): OpDefinition<A> {
  return {
    summary,
    infer: sameAsFirst,
    cost: (_, [output]) => ({ macs: work * countedElements(output.type) }),
    layout: { kind: 'elementwise' },
    quant,
  };
}

function overAxis(summary: string, quant: QuantRule): OpDefinition<OpAttrs['Softmax']> {
  return {
    summary,
    infer(context) {
      const x = requiredInput(context, 0, 'x');
      normalizeAxis(context, context.attrs.axis, x.type.shape.length);
      return [x.type];
    },
    cost: (_, [output]) => ({ macs: 3 * countedElements(output.type) }),
    layout: { kind: 'axes' },
    quant,
  };
}

export const activationDefinitions = {
  Relu: pointwise<OpAttrs['Relu']>('max(x, 0).', ownRange, 0),
  Clip: {
    ...pointwise<OpAttrs['Clip']>('x limited to [min, max].', null, 0),
    infer(context) {
      for (const limit of context.inputs.slice(1)) {
        if (limit && constantNumbers(limit)?.length !== 1 && limit.type.shape.length > 0) {
          context.fail(`a limit has shape ${shapeText(limit.type.shape)}; a scalar is needed`);
        }
      }
      return sameAsFirst(context);
    },
    quant: { ...ownRange, inputs: [activation, { kind: 'plain' }] },
  } satisfies OpDefinition<OpAttrs['Clip']>,
  LeakyRelu: pointwise<OpAttrs['LeakyRelu']>('x, or alpha × x below zero.', ownRange),
  PRelu: {
    ...pointwise<OpAttrs['PRelu']>('x, or slope × x below zero, with a slope tensor.', ownRangeInt8),
    infer(context) {
      const x = requiredInput(context, 0, 'x');
      const slope = requiredInput(context, 1, 'slope');
      if (broadcastShapes(context, x.type.shape, slope.type.shape).length > x.type.shape.length) {
        context.fail(`a slope of shape ${shapeText(slope.type.shape)} is larger than the input`);
      }
      return [x.type];
    },
  } satisfies OpDefinition<OpAttrs['PRelu']>,
  Elu: pointwise<OpAttrs['Elu']>('x, or alpha × (exp(x) − 1) below zero.', ownRangeInt8, 2),
  Selu: pointwise<OpAttrs['Selu']>('gamma × x, or gamma × alpha × (exp(x) − 1) below zero.', null, 2),
  Sigmoid: pointwise<OpAttrs['Sigmoid']>('1 / (1 + exp(−x)).', fixedOutput(1 / 256, -128, 1 / 32768), 2),
  HardSigmoid: pointwise<OpAttrs['HardSigmoid']>('alpha × x + beta limited to [0, 1].', null),
  HardSwish: pointwise<OpAttrs['HardSwish']>('x × min(max(x + 3, 0), 6) / 6.', ownRangeInt8, 2),
  Swish: pointwise<OpAttrs['Swish']>('x × sigmoid(x).', ownRange, 3),
  Tanh: pointwise<OpAttrs['Tanh']>('Hyperbolic tangent.', fixedOutput(1 / 128, 0, 1 / 32768), 2),
  Softplus: pointwise<OpAttrs['Softplus']>('log(1 + exp(x)).', null, 2),
  Softsign: pointwise<OpAttrs['Softsign']>('x / (1 + |x|).', null, 2),
  Gelu: pointwise<OpAttrs['Gelu']>('x × Φ(x), exact or by the tanh approximation.', ownRangeInt8, 3),
  Mish: pointwise<OpAttrs['Mish']>('x × tanh(softplus(x)).', null, 4),
  Softmax: overAxis('exp(x) over its sum along one axis.', fixedOutput(1 / 256, -128, 1 / 32768)),
  // The kernel's 8-bit output runs from −16 to 0; it has no 16-bit form.
  LogSoftmax: overAxis('Logarithm of softmax.', fixedOutput(16 / 256, 127, 16 / 32768, false)),
} satisfies Record<string, OpDefinition<never>>;
