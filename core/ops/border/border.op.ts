/** Where integers become reals and the other way round (ONNX QuantizeLinear and DequantizeLinear, opset 13). */
import type { OpDefinition } from '../facets.ts';
import { normalizeAxis, requiredInput, shapeText } from '../infer-helpers.ts';
import type { OpAttrs } from '../vocabulary.ts';

type BorderAttrs = OpAttrs['QuantizeLinear'];
type Context = Parameters<OpDefinition<BorderAttrs>['infer']>[0];

/** Checks that scale (and zero point) are one number, or one per index of the axis. */
function checkParameters(context: Context): void {
  const { shape } = requiredInput(context, 0, 'x').type;
  const scale = requiredInput(context, 1, 'scale').type.shape;
  const single = scale.length === 0 || (scale.length === 1 && scale[0] === 1);
  if (single) return;
  if (scale.length !== 1)
    context.fail(`scales of shape ${shapeText(scale)} are neither per tensor nor per axis`);
  const axis = normalizeAxis(context, context.attrs.axis, shape.length);
  const dim = shape[axis];
  if (typeof dim === 'number' && dim !== scale[0]) {
    context.fail(`${scale[0]} scales for axis ${axis} of ${shapeText(shape)}`);
  }
}

const QuantizeLinear: OpDefinition<BorderAttrs> = {
  summary: 'Rounds reals to integers by scale and zero point.',
  infer(context) {
    checkParameters(context);
    const { shape } = requiredInput(context, 0, 'x').type;
    return [{ dtype: context.inputs[2]?.type.dtype ?? 'uint8', shape }];
  },
  layout: { kind: 'axes' },
  quant: null,
};

const DequantizeLinear: OpDefinition<BorderAttrs> = {
  summary: 'Turns integers back into reals by scale and zero point.',
  infer(context) {
    checkParameters(context);
    const { shape } = requiredInput(context, 0, 'x').type;
    return [{ dtype: requiredInput(context, 1, 'scale').type.dtype, shape }];
  },
  layout: { kind: 'axes' },
  quant: null,
};

export const borderDefinitions = { QuantizeLinear, DequantizeLinear } satisfies Record<
  string,
  OpDefinition<never>
>;
