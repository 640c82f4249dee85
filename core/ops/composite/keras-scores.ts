/** What Keras' attention layers share. */
import type { KerasLayerView } from '../facets.ts';

/** What Keras adds to the scores of positions that must not be seen; exp() of it is 0. */
export const hidden = -1e9;

/** Arguments that would change the result and are not read. */
export function refuseUnread(layer: KerasLayerView, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(layer.kwargs)) {
    const isPlain = value === null || value === undefined || value === false || name === 'training';
    if (!isPlain && !allowed.includes(name)) layer.refuse(`argument ${name} is not read`);
  }
  for (const option of ['use_gate', 'sliding_window', 'use_logit_soft_cap']) {
    if (layer.config[option]) layer.refuse(`option ${option} is not read`);
  }
}

/** Scores to add: 0 where a query may see a key that is not later, for `repeats` queries of each time. */
export function causalMask(queries: number, keys: number, repeats: number): Float32Array {
  const mask = new Float32Array(repeats * queries * keys);
  for (let row = 0; row < repeats * queries; row++) {
    for (let key = (row % queries) + 1; key < keys; key++) mask[row * keys + key] = hidden;
  }
  return mask;
}
