/** TensorFlow's normalizations. Those of Keras layers are mostly written out in arithmetic. */
import { floatTensor } from '../../ir/tensor.ts';
import type { GraphDefFacet, GraphDefReader } from '../facets.ts';
import {
  innerOf,
  inputOf,
  layoutOf,
  resultOf,
  scalarConstant,
  staticShapeOf,
  unfused,
} from '../graphdef-helpers.ts';
import { indices } from '../pick-elements.ts';

/** With the stored statistics; a node that takes those of the batch is of training. */
const readBatchNormalization: GraphDefReader = (node, builder) => {
  if (node.boolean('is_training', true)) {
    node.refuse('it normalizes by the batch itself (is_training)', 'Export the model for inference.');
  }
  node.float('exponential_avg_factor', 1);
  const inputs = [0, 1, 2, 3, 4].map((i) => inputOf(node, i));
  const axis = layoutOf(node) === 'NHWC' ? inputs[0].type.shape.length - 1 : 1;
  return [
    resultOf(node, builder, 'BatchNormalization', inputs, { epsilon: node.float('epsilon', 1e-4), axis }),
  ];
};

/** x / (bias + alpha × Σ x²)^beta over neighbouring channels; the sum is a 1×1 convolution with a band of weights. */
const readLrn: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const shape = staticShapeOf(node, x);
  const channels = shape[shape.length - 1];
  const radius = node.int('depth_radius', 5);
  const alpha = node.float('alpha', 1);
  const band = indices(channels * channels).map((i) =>
    Math.abs((i % channels) - Math.floor(i / channels)) <= radius ? alpha : 0,
  );
  const weights = builder.constant(`${node.name}/band`, floatTensor([channels, channels, 1, 1], band));
  const start = new Array<number>(channels).fill(node.float('bias', 1));
  const bias = builder.constant(`${node.name}/bias`, floatTensor([channels], start));
  const squared = innerOf(node, builder, 'Mul', [x, x], unfused);
  const sum = innerOf(node, builder, 'Conv', [squared, weights, bias], {
    layout: 'NHWC',
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    group: 1,
    activation: 'none',
  });
  const beta = scalarConstant(node, builder, 'beta', x.type.dtype, node.float('beta', 0.5));
  return [resultOf(node, builder, 'Div', [x, innerOf(node, builder, 'Pow', [sum, beta])], unfused)];
};

export const normGraphDef = {
  FusedBatchNorm: readBatchNormalization,
  FusedBatchNormV2: readBatchNormalization,
  FusedBatchNormV3: readBatchNormalization,
  LRN: readLrn,
} satisfies GraphDefFacet;
