import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { argumentOf, intArgument, intsArgument, tensorArgument } from '../keras-arguments.ts';
import { axisOf, intsConstant, resultOf } from '../keras-layers.ts';

interface Site {
  readonly x: Value;
  readonly axes: Value | null;
  readonly keepDims: boolean;
}

function siteOf(layer: KerasLayerView, builder: GraphBuilder): Site {
  const x = tensorArgument(layer, 0, 'x', 'input_tensor');
  const axis = argumentOf(layer, 1, 'axis');
  const axes = axis === undefined ? null : intsArgument(layer, axis, 'axis');
  return {
    x,
    axes:
      axes &&
      intsConstant(
        builder,
        `${layer.name}/axes`,
        axes.map((one) => axisOf(layer, one, x.type.shape.length)),
      ),
    keepDims: (argumentOf(layer, 2, 'keepdims') ?? false) === true,
  };
}

function reduction(op: string): KerasReader {
  return (layer, builder) => {
    const { x, axes, keepDims } = siteOf(layer, builder);
    return [resultOf(layer, builder, op, [x, axes], { keepDims })];
  };
}

/** Whether any (or all) elements hold: the largest (smallest) of them as numbers. */
function logical(op: 'ReduceMax' | 'ReduceMin'): KerasReader {
  return (layer, builder) => {
    const { x, axes, keepDims } = siteOf(layer, builder);
    const node = (type: string, inputs: (Value | null)[], attrs: Attrs, suffix: string) =>
      builder.one(type, inputs, attrs, { name: `${layer.name}/${suffix}` });
    const numbers = node('Cast', [x], { to: 'float32' }, 'numbers');
    const reduced = node(op, [numbers, axes], { keepDims }, 'reduced');
    return [resultOf(layer, builder, 'Cast', [reduced], { to: 'bool' })];
  };
}

/** Mean of squared distances from the mean; with `root`, its square root. */
function variance(root: boolean): KerasReader {
  return (layer, builder) => {
    const { x, axes, keepDims } = siteOf(layer, builder);
    const node = (type: string, inputs: (Value | null)[], attrs: Attrs, suffix: string) =>
      builder.one(type, inputs, attrs, { name: `${layer.name}/${suffix}` });
    const mean = node('ReduceMean', [x, axes], { keepDims: true }, 'mean');
    const centered = node('Sub', [x, mean], { activation: 'none' }, 'centered');
    const square = node('Mul', [centered, centered], { activation: 'none' }, 'square');
    if (!root) return [resultOf(layer, builder, 'ReduceMean', [square, axes], { keepDims })];
    return [resultOf(layer, builder, 'Sqrt', [node('ReduceMean', [square, axes], { keepDims }, 'variance')])];
  };
}

/** Keras' indices are int32, TensorFlow's int64 unless asked for otherwise. */
function argReduction(op: 'ArgMax' | 'ArgMin'): KerasReader {
  return (layer, builder) => {
    const x = tensorArgument(layer, 0, 'x', 'input');
    const given = argumentOf(layer, 1, 'axis');
    if (given === undefined) return layer.refuse('searches all axes at once; one axis is read');
    const axis = axisOf(layer, intArgument(layer, given, 'axis'), x.type.shape.length);
    const keepDims = (argumentOf(layer, 2, 'keepdims') ?? false) === true;
    if (layer.className === 'TFOpLambda' && layer.kwargs.output_type !== 'int32') {
      return [resultOf(layer, builder, op, [x], { axis, keepDims })];
    }
    const index = builder.one(op, [x], { axis, keepDims }, { name: `${layer.name}/index` });
    return [resultOf(layer, builder, 'Cast', [index], { to: 'int32' })];
  };
}

function under(names: string, reader: KerasReader): KerasFacet {
  return Object.fromEntries(names.split(' ').map((name) => [name, reader]));
}

export const reduceKeras: KerasFacet = {
  ...under('ops.Mean tf.math.reduce_mean tf.reduce_mean', reduction('ReduceMean')),
  ...under('ops.Sum tf.math.reduce_sum tf.reduce_sum', reduction('ReduceSum')),
  ...under('ops.Max tf.math.reduce_max tf.reduce_max', reduction('ReduceMax')),
  ...under('ops.Min tf.math.reduce_min tf.reduce_min', reduction('ReduceMin')),
  ...under('ops.Prod tf.math.reduce_prod tf.reduce_prod', reduction('ReduceProd')),
  ...under('ops.Any tf.math.reduce_any', logical('ReduceMax')),
  ...under('ops.All tf.math.reduce_all', logical('ReduceMin')),
  ...under('ops.Var tf.math.reduce_variance', variance(false)),
  ...under('ops.Std tf.math.reduce_std', variance(true)),
  ...under('ops.Argmax tf.math.argmax tf.argmax', argReduction('ArgMax')),
  ...under('ops.Argmin tf.math.argmin tf.argmin', argReduction('ArgMin')),
};
