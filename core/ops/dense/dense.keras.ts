import { permute } from '../../ir/tensor.ts';
import { withActivation } from '../activation/keras-activations.ts';
import type { KerasFacet, KerasReader } from '../facets.ts';
import { onlyInput, shapeOf, weightConstant } from '../keras-layers.ts';

const dense: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const columns = shapeOf(layer, x).at(-1)!;
  // Keras 1 calls them `output_dim`.
  const units = layer.config.units === undefined ? layer.int('output_dim') : layer.int('units');
  const kernel = permute(layer.weight('kernel', [columns, units]), [1, 0]);
  const weights = weightConstant(builder, `${layer.name}/kernel`, kernel);
  const bias = layer.boolean('use_bias', layer.boolean('bias', true))
    ? weightConstant(builder, `${layer.name}/bias`, layer.weight('bias', [units]))
    : null;
  return [
    withActivation(layer, builder, (name) =>
      builder.one('FullyConnected', [x, weights, bias], { activation: 'none' }, { name }),
    ),
  ];
};

export const denseKeras = { Dense: dense } satisfies KerasFacet;
