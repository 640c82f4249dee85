import type { TensorType } from '../../ir/graph.ts';
import type { InferContext, OpDefinition, QuantRule } from '../facets.ts';
import { countedElements, requiredInput } from '../infer-helpers.ts';
import { channelAxis, checkSpatial, spatialAxes, spatialShape, windowCount } from '../spatial.ts';
import type { AveragePoolAttrs, MaxPoolAttrs } from '../vocabulary.ts';

/** LiteRT 8-bit specification, MAX_POOL_2D and AVERAGE_POOL_2D: input and output share scale and zero point. */
const poolQuant: QuantRule = {
  inputs: [{ kind: 'activation' }],
  outputs: [{ kind: 'same-as-input' }],
  tflite: { int8: true, int16x8: true, dynamicInt8: false },
};

function inferPool(context: InferContext<MaxPoolAttrs>): TensorType[] {
  const { attrs } = context;
  const x = requiredInput(context, 0, 'x');
  const shape = x.type.shape;
  const axes = attrs.kernelShape.length;
  checkSpatial(context, x, axes, attrs);
  const space = spatialAxes(attrs.layout, shape.length).map((axis, i) =>
    windowCount(
      context,
      shape[axis],
      {
        kernel: attrs.kernelShape[i],
        stride: attrs.strides[i],
        dilation: attrs.dilations[i],
        begin: attrs.pads[i],
        end: attrs.pads[axes + i],
      },
      attrs.ceilMode,
    ),
  );
  const channels = shape[channelAxis(attrs.layout, shape.length)];
  return [{ dtype: x.type.dtype, shape: spatialShape(attrs.layout, shape[0], channels, space) }];
}

export const poolDefinitions = {
  MaxPool: {
    summary: 'Largest element of each window; padding counts as −∞.',
    infer: inferPool,
    cost: () => ({ macs: 0 }),
    layout: { kind: 'spatial' },
    quant: poolQuant,
  } satisfies OpDefinition<MaxPoolAttrs>,
  AveragePool: {
    summary: 'Mean of each window, over the elements inside the input unless countIncludePad.',
    infer: inferPool,
    cost: (_, [output], attrs) => ({
      macs: attrs.kernelShape.reduce((product, size) => product * size, countedElements(output.type)),
    }),
    layout: { kind: 'spatial' },
    quant: poolQuant,
  } satisfies OpDefinition<AveragePoolAttrs>,
} satisfies Record<string, OpDefinition<never>>;
