/** Layers that wrap another layer. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { isTensor } from '../keras-arguments.ts';
import { onlyInput, reshapeTo, scalarConstant, shapeOf } from '../keras-layers.ts';
import { recur, sequence } from './keras-recurrent.ts';

/** The inner layer runs on all steps at once: time goes into the batch. */
const timeDistributed: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  if (isTensor(layer.kwargs.mask) || layer.hasMask(x)) return layer.refuse('gets a mask, which is not read');
  const [batch, steps, ...rest] = shapeOf(layer, x);
  const inner = layer.inner('layer');
  const folded = reshapeTo(builder, x, [batch * steps, ...rest], `${layer.name}/steps`);
  return inner.call([folded]).map((output, i) => {
    const sizes = shapeOf(layer, output).slice(1);
    return reshapeTo(builder, output, [batch, steps, ...sizes], i === 0 ? layer.name : `${layer.name}:${i}`);
  });
};

/** At inference only the inner layer is left; its kernel is stored normalized. */
const spectralNormalization: KerasReader = (layer) => layer.inner('layer').call(layer.inputs);

const pipeline: KerasReader = (layer) => {
  const { layers } = layer.config;
  if (!Array.isArray(layers)) return layer.refuse('its layers are no list');
  return layers.reduce<Value[]>(
    (values, _, index) => layer.inner('layers', { index }).call(values),
    [...layer.inputs],
  );
};

const mergeOps: Readonly<Record<string, string>> = { sum: 'Add', mul: 'Mul', ave: 'Add' };

const bidirectional: KerasReader = (layer, builder) => {
  const [x, ...more] = layer.inputs;
  const mode = layer.config.merge_mode ?? null;
  const given = isTensor(layer.kwargs.initial_state)
    ? [layer.kwargs.initial_state]
    : layer.kwargs.initial_state;
  const initial = (Array.isArray(given) ? given : more) as readonly Value[];
  const inner = layer.inner('layer', { attribute: 'forward_layer', name: forwardName(layer) });
  const backward = backwardLayer(layer, inner);
  const half = initial.length / 2;
  const states = (part: number) => (half > 0 ? initial.slice(part * half, (part + 1) * half) : undefined);
  const mask = layer.kwargs.mask ?? layer.maskOf(x);
  const run = (side: KerasLayerView, part: number) =>
    recur({ ...side, kwargs: isTensor(mask) ? { mask } : {}, inputs: [x] }, builder, x, states(part));
  const forth = run(inner, 0);
  const back = run(backward, 1);
  const sequences = inner.boolean('return_sequences', false);
  // The backward half is turned round again, so that steps of both halves stand beside each other.
  const sides = [forth, back].map(({ outputs, last }, i) =>
    sequences ? sequence(layer, builder, outputs, `${layer.name}/${i === 0 ? 'forward' : 'backward'}`) : last,
  );
  const merged = mode === null ? sides : [merge(layer, builder, sides, String(mode))];
  if (sequences && isTensor(mask)) for (const value of merged) layer.setMask(value, () => mask);
  return inner.boolean('return_state', false) ? [...merged, ...forth.states, ...back.states] : merged;
};

/** tf_keras keeps the inner layer's own name in the configuration and puts `forward_` before it in the weights. */
function forwardName(layer: KerasLayerView): string {
  const inner = layer.config.layer as { config?: { name?: string } } | undefined;
  const name = inner?.config?.name ?? 'layer';
  return name.startsWith('forward_') ? name : `forward_${name}`;
}

function backwardLayer(layer: KerasLayerView, forward: KerasLayerView): KerasLayerView {
  if (layer.config.backward_layer) return layer.inner('backward_layer');
  return layer.inner('layer', {
    attribute: 'backward_layer',
    name: forwardName(layer).replace('forward_', 'backward_'),
    config: { go_backwards: !forward.boolean('go_backwards', false) },
  });
}

function merge(layer: KerasLayerView, builder: GraphBuilder, sides: readonly Value[], mode: string): Value {
  if (mode === 'concat') {
    return builder.one('Concat', sides, { axis: sides[0].type.shape.length - 1 }, { name: layer.name });
  }
  const op = mergeOps[mode] ?? layer.refuse(`merge_mode ${mode} is not read`);
  const name = mode === 'ave' ? `${layer.name}/sum` : layer.name;
  const joined = builder.one(op, sides, { activation: 'none' }, { name });
  if (mode !== 'ave') return joined;
  const half = scalarConstant(builder, `${layer.name}/half`, 0.5);
  return builder.one('Mul', [joined, half], { activation: 'none' }, { name: layer.name });
}

export const wrapperKeras: KerasFacet = {
  TimeDistributed: timeDistributed,
  SpectralNormalization: spectralNormalization,
  Pipeline: pipeline,
  Bidirectional: bidirectional,
};
