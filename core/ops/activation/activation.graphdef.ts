/** TensorFlow's activations. */
import type { GraphDefFacet, GraphDefReader } from '../facets.ts';
import { clipOf, inputOf, plainReader, resultOf } from '../graphdef-helpers.ts';

const readLeakyRelu: GraphDefReader = (node, builder) => [
  resultOf(node, builder, 'LeakyRelu', [inputOf(node, 0)], { alpha: node.float('alpha', 0.2) }),
];

export const activationGraphDef = {
  Relu: plainReader('Relu', 1),
  Relu6: (node, builder) => [clipOf(node, builder, inputOf(node, 0), [0, 6])],
  Elu: plainReader('Elu', 1, { alpha: 1 }),
  // tf.nn.selu's two constants.
  Selu: plainReader('Selu', 1, { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }),
  LeakyRelu: readLeakyRelu,
  Prelu: plainReader('PRelu', 2),
  Sigmoid: plainReader('Sigmoid', 1),
  Tanh: plainReader('Tanh', 1),
  Softplus: plainReader('Softplus', 1),
  Softsign: plainReader('Softsign', 1),
  Softmax: plainReader('Softmax', 1, { axis: -1 }),
  LogSoftmax: plainReader('LogSoftmax', 1, { axis: -1 }),
} satisfies GraphDefFacet;
