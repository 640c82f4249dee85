import type { Value } from '../../ir/graph.ts';
import type { KerasLayerView } from '../../ops/facets.ts';

/** Layers of Keras 1 and 2 that hand a mask on and do not let it change what they compute. */
const passing = new Set([
  'Activation',
  'BatchNormalization',
  'Dense',
  'ELU',
  'LayerNormalization',
  'LeakyReLU',
  'PReLU',
  'ReLU',
  'Rescaling',
  'ThresholdedReLU',
]);

/** Layers that take a mask off their input themselves and set the one of their output. */
const knowing = new Set(['Bidirectional', 'GRU', 'LSTM', 'RNN', 'SimpleRNN', 'Masking', 'Embedding']);

/**
 * Hands the mask of a layer's input on to its output (Keras 1 and 2; Keras 3 writes masks into the configuration).
 * @throws through `layer` for layers whose result would depend on the mask in a way that is not read.
 */
export function passMask(layer: KerasLayerView, outputs: readonly Value[]): void {
  if (knowing.has(layer.className)) return;
  const masks = layer.inputs.map((input) => layer.maskOf(input));
  const mask = masks.find((found) => found !== undefined);
  if (!mask) return;
  if (!passing.has(layer.className)) {
    layer.refuse(
      'gets a mask from a Masking or Embedding layer; what it does with one is not read',
      'Set mask_zero to false, or put the layer before the masked ones.',
    );
  }
  for (const output of outputs) layer.setMask(output, mask);
}
