import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { layoutOf, onlyInput, reshapeTo, resultOf, scalarConstant, shapeOf } from '../keras-layers.ts';
import { elementwiseFunctions } from './keras-functions.ts';

const fused: Attrs = { activation: 'none' };

/** Keras' merging layers give tensors of lower rank axes of size 1 behind the batch. */
function sameRank(layer: KerasLayerView, builder: GraphBuilder): Value[] {
  const rank = Math.max(...layer.inputs.map(({ type }) => type.shape.length));
  return layer.inputs.map((x, i) => {
    const shape = shapeOf(layer, x);
    if (shape.length === rank) return x;
    const raised = [shape[0], ...new Array<number>(rank - shape.length).fill(1), ...shape.slice(1)];
    return reshapeTo(builder, x, raised, `${layer.name}/input_${i}`);
  });
}

/** Two or more inputs, taken from left to right; the last node bears the layer's name. */
function merge(op: string, attrs: Attrs, exactly?: number): KerasReader {
  return (layer, builder) => {
    const inputs = sameRank(layer, builder);
    if (inputs.length < 2 || (exactly !== undefined && inputs.length !== exactly)) {
      return layer.refuse(`takes ${exactly ?? 'at least 2'} inputs, not ${inputs.length}`);
    }
    return [chain(builder, op, inputs, attrs, layer.name)];
  };
}

function chain(
  builder: GraphBuilder,
  op: string,
  inputs: readonly Value[],
  attrs: Attrs,
  name: string,
): Value {
  return inputs.slice(1).reduce((left, right, i) => {
    const isLast = i === inputs.length - 2;
    return builder.one(op, [left, right], attrs, { name: isLast ? name : `${name}/${i}` });
  }, inputs[0]);
}

const average: KerasReader = (layer, builder) => {
  const inputs = sameRank(layer, builder);
  const sum = chain(builder, 'Add', inputs, fused, `${layer.name}/sum`);
  const share = scalarConstant(builder, `${layer.name}/share`, 1 / inputs.length);
  return [resultOf(layer, builder, 'Mul', [sum, share], fused)];
};

/** x × scale + offset, each one number or one per channel. Whole-number inputs become floats first. */
const rescaling: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const rank = x.type.shape.length;
  const channelsFirst = layer.config.data_format !== undefined && layoutOf(layer) === 'NCHW';
  const constant = (option: 'scale' | 'offset', fallback: number) => {
    const value = layer.config[option] ?? fallback;
    const values = (Array.isArray(value) ? value : [value]).map(Number);
    if (values.some((number) => !Number.isFinite(number))) {
      return layer.refuse(`option ${option} is ${JSON.stringify(value)}; numbers are expected`);
    }
    const shape = !Array.isArray(value)
      ? []
      : channelsFirst
        ? [values.length, ...new Array<number>(rank - 2).fill(1)]
        : [values.length];
    const isNeutral = values.every((number) => number === (option === 'scale' ? 1 : 0));
    return isNeutral ? null : builder.constant(`${layer.name}/${option}`, floatTensor(shape, values));
  };
  const scale = constant('scale', 1);
  const offset = constant('offset', 0);
  let y = x;
  if (x.type.dtype !== 'float32')
    y = builder.one('Cast', [y], { to: 'float32' }, { name: `${layer.name}/float` });
  if (scale)
    y = builder.one('Mul', [y, scale], fused, { name: offset ? `${layer.name}/scaled` : layer.name });
  if (offset) y = resultOf(layer, builder, 'Add', [y, offset], fused);
  return [y];
};

/** keras.applications' own layer of InceptionResNetV2: the first input, and the second times `scale`. */
const scaledResidual: KerasReader = (layer, builder) => {
  const { scale } = layer.config;
  if (typeof scale !== 'number')
    return layer.refuse('is of a class of its own, not that of InceptionResNetV2');
  if (layer.inputs.length !== 2) return layer.refuse(`takes 2 inputs, not ${layer.inputs.length}`);
  const [x, residual] = layer.inputs;
  const factor = scalarConstant(builder, `${layer.name}/scale`, scale);
  const scaled = builder.one('Mul', [residual, factor], fused, { name: `${layer.name}/scaled` });
  return [resultOf(layer, builder, 'Add', [x, scaled], fused)];
};

export const elementwiseKeras = {
  ...elementwiseFunctions,
  Add: merge('Add', fused),
  Subtract: merge('Sub', fused, 2),
  Multiply: merge('Mul', fused),
  Maximum: merge('Max', {}),
  Minimum: merge('Min', {}),
  Average: average,
  Rescaling: rescaling,
  CustomScaleLayer: scaledResidual,
} satisfies KerasFacet;
