import type { Value, ValueId } from '../../ir/graph.ts';
import type { KerasLayerView } from '../../ops/facets.ts';

/**
 * Masks that Masking and Embedding layers send along with values, mostly unseen in the configuration. A mask is made
 * when a layer first asks for it; `unknown` stands behind layers of which it is not said here whether they hand it on.
 */
export type Masks = Map<ValueId, (() => Value) | 'unknown'>;

/** Layers that hand a mask on and do not let it change what they compute. */
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

/** Layers whose readers look at the mask themselves. */
const knowing = new Set([
  'Bidirectional',
  'ConvLSTM1D',
  'ConvLSTM2D',
  'ConvLSTM3D',
  'Embedding',
  'GRU',
  'GlobalAveragePooling1D',
  'LSTM',
  'Masking',
  'RNN',
  'SimpleRNN',
  'TimeDistributed',
]);

/** Layers whose result a mask would change, in a way that is not read. */
const sensitive = new Set([
  'AdditiveAttention',
  'Attention',
  'GroupQueryAttention',
  'GroupedQueryAttention',
  'MultiHeadAttention',
  'Softmax',
]);

/**
 * Follows the masks of a layer's inputs to its outputs.
 * @throws through `layer` for layers whose result would depend on a mask in a way that is not read.
 */
export function passMask(layer: KerasLayerView, masks: Masks, outputs: readonly Value[]): void {
  if (knowing.has(layer.className)) return;
  const found = layer.inputs.map((input) => masks.get(input.id)).find((mask) => mask !== undefined);
  if (!found) return;
  if (sensitive.has(layer.className)) {
    layer.refuse(
      'gets a mask from a Masking or Embedding layer; what it does with one is not read',
      'Set mask_zero to false where the mask is not needed.',
    );
  }
  for (const output of outputs) {
    if (!masks.has(output.id)) masks.set(output.id, passing.has(layer.className) ? found : 'unknown');
  }
}

/** Calls that name a mask for a layer that does not read it. */
export function refuseMaskArgument(layer: KerasLayerView): void {
  const { mask } = layer.kwargs;
  const isGiven = Array.isArray(mask)
    ? mask.some((item) => item !== null)
    : mask !== null && mask !== undefined;
  if (isGiven && !knowing.has(layer.className) && !passing.has(layer.className)) {
    layer.refuse('argument mask is not read');
  }
}
