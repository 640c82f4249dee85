import type { TensorType } from '../../ir/graph.ts';
import type { InferContext, OpDefinition } from '../facets.ts';
import {
  broadcastShapes,
  countedElements,
  normalizeAxis,
  requiredInput,
  shapeText,
} from '../infer-helpers.ts';
import type { BatchNormalizationAttrs, LayerNormalizationAttrs } from '../vocabulary.ts';

function inferBatchNormalization(context: InferContext<BatchNormalizationAttrs>): TensorType[] {
  const x = requiredInput(context, 0, 'x');
  const axis = normalizeAxis(context, context.attrs.axis, x.type.shape.length);
  const channels = x.type.shape[axis];
  for (const [i, name] of ['scale', 'bias', 'mean', 'variance'].entries()) {
    const shape = requiredInput(context, i + 1, name).type.shape;
    if (shape.length !== 1 || (typeof channels === 'number' && shape[0] !== channels)) {
      context.fail(`${name} has shape ${shapeText(shape)}; [${channels}] is needed`);
    }
  }
  return [x.type];
}

function inferLayerNormalization(context: InferContext<LayerNormalizationAttrs>): TensorType[] {
  const x = requiredInput(context, 0, 'x');
  const axis = normalizeAxis(context, context.attrs.axis, x.type.shape.length);
  const normalized = x.type.shape.slice(axis);
  for (const parameter of context.inputs.slice(1)) {
    if (parameter && broadcastShapes(context, normalized, parameter.type.shape).length > normalized.length) {
      context.fail(
        `a parameter of shape ${shapeText(parameter.type.shape)} is larger than ${shapeText(normalized)}`,
      );
    }
  }
  return [x.type];
}

export const normDefinitions = {
  BatchNormalization: {
    summary: 'Inference batch normalization over one axis with stored statistics.',
    infer: inferBatchNormalization,
    cost: (_, [output]) => ({ macs: countedElements(output.type) }),
    layout: { kind: 'axes' },
    // Never survives preparation: it is folded into weights or becomes Mul and Add, which are quantized.
    quant: null,
  } satisfies OpDefinition<BatchNormalizationAttrs>,
  LayerNormalization: {
    summary: 'Normalization over the last axes with statistics of the sample itself.',
    infer: inferLayerNormalization,
    cost: (_, [output]) => ({ macs: 4 * countedElements(output.type) }),
    layout: { kind: 'fixed' },
    quant: null,
  } satisfies OpDefinition<LayerNormalizationAttrs>,
} satisfies Record<string, OpDefinition<never>>;
