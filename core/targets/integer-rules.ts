import { refuse } from './checks.ts';
import type { NodeFacts, TensorFacts } from './node-facts.ts';
import type { Check, Fix } from './target-rules.ts';

/** Rules that accelerators for integers share. */

export const pureInt8: Fix = {
  text: 'Make it full int8 with int8 inputs and outputs, the final softmax too.',
  recipe: { precision: 'int8', io: 'int8', pureInteger: true },
};

const moving = (node: NodeFacts): TensorFacts[] =>
  [...node.inputs, ...node.outputs].filter(
    (tensor): tensor is TensorFacts => tensor !== null && !tensor.isConstant,
  );

/** Everything that moves has one of the types. */
export function integersOnly(allowed: readonly string[], fix: Fix = pureInt8): Check {
  return (node) => {
    const wrong = moving(node).find(({ typeName }) => !allowed.includes(typeName));
    return wrong && refuse(`computes in ${allowed.join(', ')}, and ${wrong.name} is ${wrong.typeName}`, fix);
  };
}

/** Weights that are widened or quantized as the model runs. */
export const noHybrid: Check = (node) => {
  const [input, weights] = node.op === 'TRANSPOSE_CONV' ? [node.inputs[2], node.inputs[1]] : node.inputs;
  const isHybrid =
    input?.typeName === 'float32' && (weights?.typeName === 'int8' || weights?.typeName === 'int4');
  return isHybrid
    ? refuse('takes no float activations with integer weights (dynamic range)', pureInt8)
    : undefined;
};

/** Every integer that moves has a scale. */
export const scaled: Check = (node) => {
  const bare = moving(node).find(
    ({ typeName, quant }) => ['int8', 'uint8', 'int16'].includes(typeName) && !quant,
  );
  return bare && refuse(`needs a scale for ${bare.name}`);
};

/** Dimensions within bounds, the first one 1. */
export function bounded(mostAxes: number, mostDim: number, batchOne = true): Check {
  return (node) => {
    for (const { name, shape } of moving(node)) {
      if (shape.length > mostAxes)
        return refuse(`takes at most ${mostAxes} axes, and ${name} has ${shape.length}`);
      if (shape.some((dim) => dim > mostDim)) return refuse(`takes dimensions up to ${mostDim} (${name})`);
      if (batchOne && shape.length === 4 && shape[0] !== 1)
        return refuse(`takes a batch of 1, and ${name} has ${shape[0]}`, {
          text: 'Open the model with a batch of 1.',
        });
    }
    return undefined;
  };
}

/** One scale for a tensor and not one for each channel. */
export function perTensorWeights(fix?: Fix): Check {
  return ({ inputs, op }) => {
    const weights = inputs.find((tensor) => tensor?.isConstant && (tensor.quant?.scales.length ?? 0) > 1);
    return weights ? refuse(`takes one scale for the weights of ${op}`, fix) : undefined;
  };
}

export const noBlocks: Check = ({ inputs }) =>
  inputs.some((tensor) => tensor?.hasQuantDetails)
    ? refuse('takes no weights that are quantized in blocks')
    : undefined;

export function operatorsNamed(
  names: string,
  rules: readonly Check[] = [],
): Record<string, readonly Check[]> {
  return Object.fromEntries(names.split(' ').map((op) => [op, rules]));
}
