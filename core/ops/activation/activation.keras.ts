import { floatTensor, type Tensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { axisOf, onlyInput, resultOf, shapeOf, weightConstant } from '../keras-layers.ts';
import { applyActivation, relu } from './keras-activations.ts';

/** A layer that is one activation function with the layer's options. */
function asFunction(name: string): KerasReader {
  return (layer, builder) => [
    applyActivation(layer, builder, onlyInput(layer), { class_name: name, config: layer.config }, layer.name),
  ];
}

function optionalNumber(layer: KerasLayerView, option: string): number | null {
  return layer.config[option] == null ? null : layer.number(option);
}

/** The slope has a 1 for each shared axis; trailing axes of size 1 keep it broadcast against x. */
const prelu: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const shape = shapeOf(layer, x);
  const shared = Array.isArray(layer.config.shared_axes)
    ? layer.config.shared_axes.map((axis) => axisOf(layer, Number(axis), shape.length))
    : [];
  const expected = shape.slice(1).map((dim, i) => (shared.includes(i + 1) ? 1 : dim));
  const slope: Tensor = layer.weight('alpha', expected);
  return [resultOf(layer, builder, 'PRelu', [x, weightConstant(builder, `${layer.name}/alpha`, slope)])];
};

/** Softmax over several axes: they are brought together at the end, normalized as one, and brought back. */
const softmax: KerasReader = (layer, builder) => {
  const { axis } = layer.config;
  if (!Array.isArray(axis) || axis.length === 1) {
    const one = Array.isArray(axis) ? axis[0] : axis;
    return [
      applyActivation(
        layer,
        builder,
        onlyInput(layer),
        { class_name: 'Softmax', config: { axis: one ?? -1 } },
        layer.name,
      ),
    ];
  }
  return layer.refuse(`softmax over the axes ${JSON.stringify(axis)}; one axis is read`);
};

export const activationKeras = {
  Activation: (layer, builder) => [
    applyActivation(layer, builder, onlyInput(layer), layer.config.activation, layer.name),
  ],
  ReLU: (layer, builder) => [
    relu(
      onlyInput(layer),
      { layer, builder, name: layer.name, options: {} },
      {
        slope: optionalNumber(layer, 'negative_slope') ?? 0,
        max: optionalNumber(layer, 'max_value'),
        threshold: optionalNumber(layer, 'threshold') ?? 0,
      },
    ),
  ],
  /** x where x > theta, else 0. */
  ThresholdedReLU: (layer, builder) => {
    const x = onlyInput(layer);
    const theta = builder.constant(`${layer.name}/theta`, floatTensor([], [layer.number('theta', 1)]));
    const zero = builder.constant(`${layer.name}/zero`, floatTensor([], [0]));
    const above = builder.one('Greater', [x, theta], {}, { name: `${layer.name}/above` });
    return [resultOf(layer, builder, 'Where', [above, x, zero])];
  },
  LeakyReLU: asFunction('LeakyReLU'),
  ELU: asFunction('ELU'),
  PReLU: prelu,
  Softmax: softmax,
} satisfies KerasFacet;
