import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { axisOf, intsConstant, layoutOf, onlyInput, reshapeTo, resultOf, shapeOf } from '../keras-layers.ts';
import { shapeFunctions } from './keras-functions.ts';

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** Channels go last before an image in channels_first order is flattened, as Keras does it. */
const flatten: KerasReader = (layer, builder) => {
  let x: Value = onlyInput(layer);
  const shape = shapeOf(layer, x);
  if (layoutOf(layer) === 'NCHW' && shape.length > 2) {
    const perm = [0, ...shape.slice(2).map((_, i) => i + 2), 1];
    x = builder.one('Transpose', [x], { perm }, { name: `${layer.name}/channels_last` });
  }
  return [reshapeTo(builder, x, [shape[0], product(shape.slice(1))], layer.name)];
};

const reshape: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const [batch, ...rest] = shapeOf(layer, x);
  const target = layer.config.target_shape;
  if (!Array.isArray(target)) return layer.refuse(`option target_shape is ${JSON.stringify(target)}`);
  const given = target.map(Number);
  const known = product(given.filter((size) => size !== -1));
  const sizes = given.map((size) => (size === -1 ? product(rest) / known : size));
  if (product(sizes) !== product(rest) || sizes.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    return layer.refuse(`[${rest.join(', ')}] does not fit into target_shape [${given.join(', ')}]`);
  }
  return [reshapeTo(builder, x, [batch, ...sizes], layer.name)];
};

/** `dims` counts from 1: axis 0 is the batch. */
const permuteAxes: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const dims = layer.ints('dims', x.type.shape.length - 1);
  return [resultOf(layer, builder, 'Transpose', [x], { perm: [0, ...dims] })];
};

const repeatVector: KerasReader = (layer, builder) => {
  const x = onlyInput(layer);
  const [batch, features] = shapeOf(layer, x);
  const raised = reshapeTo(builder, x, [batch, 1, features], `${layer.name}/raised`);
  const repeats = intsConstant(builder, `${layer.name}/repeats`, [1, layer.int('n'), 1]);
  return [resultOf(layer, builder, 'Tile', [raised, repeats])];
};

const concatenate: KerasReader = (layer, builder) => {
  if (layer.inputs.length === 0) return layer.refuse('takes at least 1 input');
  const rank = layer.inputs[0].type.shape.length;
  const axis = axisOf(layer, layer.int('axis', -1), rank);
  return [resultOf(layer, builder, 'Concat', layer.inputs, { axis })];
};

/** `padding` and `cropping` in each of the forms Keras takes: n, (n, m), ((a, b), (c, d)); pairs of begin and end. */
export function pairsOf(layer: KerasLayerView, option: string, rank: number): (readonly [number, number])[] {
  const value = layer.config[option];
  const pair = (item: unknown): readonly [number, number] => {
    if (Number.isSafeInteger(item)) return [item as number, item as number];
    if (Array.isArray(item) && item.length === 2 && item.every(Number.isSafeInteger))
      return [item[0], item[1]];
    return layer.refuse(`option ${option} is ${JSON.stringify(value)}`);
  };
  if (Number.isSafeInteger(value)) return new Array(rank).fill(pair(value));
  // One axis: (begin, end) without another level.
  if (rank === 1) return [pair(Array.isArray(value) && value.length === 1 ? value[0] : value)];
  if (Array.isArray(value) && value.length === rank) return value.map(pair);
  return layer.refuse(`option ${option} is ${JSON.stringify(value)}`);
}

function zeroPadding(rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const pairs = pairsOf(layer, 'padding', rank);
    const first = layoutOf(layer) === 'NHWC' ? 1 : 2;
    const axes = x.type.shape.length;
    const pads = new Array<number>(axes * 2).fill(0);
    pairs.forEach(([begin, end], i) => {
      pads[first + i] = begin;
      pads[axes + first + i] = end;
    });
    const value = builder.constant(`${layer.name}/zero`, floatTensor([], [0]));
    return [
      resultOf(layer, builder, 'Pad', [x, intsConstant(builder, `${layer.name}/pads`, pads), value], {
        mode: 'constant',
      }),
    ];
  };
}

function cropping(rank: number): KerasReader {
  return (layer, builder) => {
    const x = onlyInput(layer);
    const pairs = pairsOf(layer, 'cropping', rank);
    const shape = shapeOf(layer, x);
    const first = layoutOf(layer) === 'NHWC' ? 1 : 2;
    const constant = (suffix: string, values: readonly number[]) =>
      intsConstant(builder, `${layer.name}/${suffix}`, values);
    const ends = pairs.map(([begin, end], i) => {
      const stop = shape[first + i] - end;
      return stop > begin ? stop : layer.refuse(`cropping leaves nothing of [${shape.join(', ')}]`);
    });
    const starts = constant(
      'starts',
      pairs.map(([begin]) => begin),
    );
    const axes = constant(
      'axes',
      pairs.map((_, i) => first + i),
    );
    return [resultOf(layer, builder, 'Slice', [x, starts, constant('ends', ends), axes, null])];
  };
}

export const shapeKeras = {
  ...shapeFunctions,
  Flatten: flatten,
  Reshape: reshape,
  Permute: permuteAxes,
  RepeatVector: repeatVector,
  Concatenate: concatenate,
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: zeroPadding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
} satisfies KerasFacet;
