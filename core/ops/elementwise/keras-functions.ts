/** Element-wise functions of keras.ops and TensorFlow. */
import type { GraphBuilder } from '../../ir/builder.ts';
import { type DType, dtypes } from '../../ir/dtype.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { applyActivation, isLinear } from '../activation/keras-activations.ts';
import type { KerasFacet, KerasLayerView, KerasReader } from '../facets.ts';
import { argumentOf, dtypeAmong, operand, tensorArgument } from '../keras-arguments.ts';
import { resultOf, scalarConstant } from '../keras-layers.ts';

const fused: Attrs = { activation: 'none' };

/** Registers one reader for a function under its names in keras.ops and in TensorFlow. */
function under(names: string, reader: KerasReader): KerasFacet {
  return Object.fromEntries(names.split(' ').map((name) => [name, reader]));
}

function operands(layer: KerasLayerView, builder: GraphBuilder): [Value, Value] {
  const left = argumentOf(layer, 0, 'x1', 'x', 'a');
  const right = argumentOf(layer, 1, 'x2', 'y', 'b');
  const dtype = dtypeAmong(left, right);
  return [operand(layer, builder, left, dtype, 'x'), operand(layer, builder, right, dtype, 'y')];
}

function binary(op: string, attrs: Attrs = {}): KerasReader {
  return (layer, builder) => [resultOf(layer, builder, op, operands(layer, builder), attrs)];
}

/** The negation of a comparison: a ≤ b is not a > b, apart from NaN. */
function negated(op: 'Greater' | 'Less' | 'Equal'): KerasReader {
  return (layer, builder) => {
    const opposite = builder.one(op, operands(layer, builder), {}, { name: `${layer.name}/opposite` });
    return [resultOf(layer, builder, 'Not', [opposite])];
  };
}

/** True division of whole numbers gives floats. */
const divide: KerasReader = (layer, builder) => {
  const left = argumentOf(layer, 0, 'x1', 'x');
  const right = argumentOf(layer, 1, 'x2', 'y');
  const dtype = dtypeAmong(left, right);
  const floats = [left, right].map((side, i) => {
    const value = operand(
      layer,
      builder,
      side,
      dtype.startsWith('float') ? dtype : 'float32',
      i === 0 ? 'x' : 'y',
    );
    if (value.type.dtype.startsWith('float')) return value;
    return builder.one('Cast', [value], { to: 'float32' }, { name: `${layer.name}/float_${i}` });
  });
  return [resultOf(layer, builder, 'Div', floats, fused)];
};

function unary(op: string, attrs: Attrs = {}): KerasReader {
  return (layer, builder) => [
    resultOf(layer, builder, op, [tensorArgument(layer, 0, 'x', 'features', 'input')], attrs),
  ];
}

function inner(
  layer: KerasLayerView,
  builder: GraphBuilder,
  op: string,
  inputs: Value[],
  suffix: string,
): Value {
  return builder.one(op, inputs, op === 'Add' || op === 'Sub' ? fused : {}, {
    name: `${layer.name}/${suffix}`,
  });
}

const square: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x');
  return [resultOf(layer, builder, 'Mul', [x, x], fused)];
};

const inverseRoot: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x');
  return [resultOf(layer, builder, 'Reciprocal', [inner(layer, builder, 'Sqrt', [x], 'root')])];
};

const logOnePlus: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x');
  const one = scalarConstant(builder, `${layer.name}/one`, 1);
  return [resultOf(layer, builder, 'Log', [inner(layer, builder, 'Add', [x, one], 'raised')])];
};

const exponentMinusOne: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x');
  const one = scalarConstant(builder, `${layer.name}/one`, 1);
  return [resultOf(layer, builder, 'Sub', [inner(layer, builder, 'Exp', [x], 'exponential'), one], fused)];
};

const round: KerasReader = (layer, builder) => {
  const decimals = argumentOf(layer, 1, 'decimals') ?? 0;
  if (decimals !== 0) return layer.refuse(`rounds to ${decimals} decimals; whole numbers are read`);
  return [resultOf(layer, builder, 'Round', [tensorArgument(layer, 0, 'x')])];
};

const where: KerasReader = (layer, builder) => {
  const condition = tensorArgument(layer, 0, 'condition');
  const left = argumentOf(layer, 1, 'x1', 'x');
  const right = argumentOf(layer, 2, 'x2', 'y');
  const dtype = dtypeAmong(left, right);
  const sides = [operand(layer, builder, left, dtype, 'x'), operand(layer, builder, right, dtype, 'y')];
  return [resultOf(layer, builder, 'Where', [condition, ...sides])];
};

const cast: KerasReader = (layer, builder) => {
  const to = argumentOf(layer, 1, 'dtype');
  if (!(dtypes as readonly unknown[]).includes(to)) return layer.refuse(`casts to ${JSON.stringify(to)}`);
  return [resultOf(layer, builder, 'Cast', [tensorArgument(layer, 0, 'x')], { to: to as DType })];
};

const clip: KerasReader = (layer, builder) => {
  const x = tensorArgument(layer, 0, 'x', 't');
  const limit = (index: number, ...names: string[]) => {
    const value = argumentOf(layer, index, ...names);
    return value === undefined ? null : operand(layer, builder, value, x.type.dtype, names[0]);
  };
  const low = limit(1, 'x_min', 'clip_value_min');
  const high = limit(2, 'x_max', 'clip_value_max');
  return [resultOf(layer, builder, 'Clip', [x, low, high])];
};

/** A function that is an activation of keras.activations too. */
function activation(name: string): KerasReader {
  return (layer, builder) => {
    const options = { ...layer.config, ...layer.kwargs };
    const x = tensorArgument(layer, 0, 'x', 'features', 'logits');
    const spec = { class_name: name, config: options };
    return isLinear(name) ? [x] : [applyActivation(layer, builder, x, spec, layer.name)];
  };
}

export const elementwiseFunctions: KerasFacet = {
  ...under('ops.Add tf.math.add tf.__operators__.add', binary('Add', fused)),
  ...under('ops.Subtract tf.math.subtract tf.__operators__.sub', binary('Sub', fused)),
  ...under('ops.Multiply tf.math.multiply tf.__operators__.mul', binary('Mul', fused)),
  ...under('ops.TrueDivide ops.Divide tf.math.truediv tf.math.divide tf.__operators__.truediv', divide),
  ...under('ops.Maximum tf.math.maximum', binary('Max')),
  ...under('ops.Minimum tf.math.minimum', binary('Min')),
  ...under('ops.Power tf.math.pow', binary('Pow')),
  ...under('ops.Greater tf.math.greater', binary('Greater')),
  ...under('ops.Less tf.math.less', binary('Less')),
  ...under('ops.Equal tf.math.equal tf.__operators__.eq', binary('Equal')),
  ...under('ops.GreaterEqual tf.math.greater_equal', negated('Less')),
  ...under('ops.LessEqual tf.math.less_equal', negated('Greater')),
  ...under('ops.NotEqual tf.math.not_equal tf.__operators__.ne', negated('Equal')),
  ...under('ops.LogicalAnd tf.math.logical_and', binary('And')),
  ...under('ops.LogicalOr tf.math.logical_or', binary('Or')),
  ...under('ops.LogicalNot tf.math.logical_not', unary('Not')),
  ...under('ops.Absolute ops.Abs tf.math.abs', unary('Abs')),
  ...under('ops.Negative tf.math.negative tf.__operators__.neg', unary('Neg')),
  ...under('ops.Exp tf.math.exp', unary('Exp')),
  ...under('ops.Expm1 tf.math.expm1', exponentMinusOne),
  ...under('ops.Log tf.math.log', unary('Log')),
  ...under('ops.Log1p tf.math.log1p', logOnePlus),
  ...under('ops.Sqrt tf.math.sqrt', unary('Sqrt')),
  ...under('ops.Rsqrt tf.math.rsqrt', inverseRoot),
  ...under('ops.Square tf.math.square', square),
  ...under('ops.Reciprocal tf.math.reciprocal', unary('Reciprocal')),
  ...under('ops.Floor tf.math.floor', unary('Floor')),
  ...under('ops.Ceil tf.math.ceil', unary('Ceil')),
  ...under('ops.Round tf.math.round', round),
  ...under('ops.Sin tf.math.sin', unary('Sin')),
  ...under('ops.Cos tf.math.cos', unary('Cos')),
  ...under('ops.Erf tf.math.erf', unary('Erf')),
  ...under('ops.Where tf.where', where),
  ...under('ops.Cast tf.cast', cast),
  ...under('ops.Clip tf.clip_by_value', clip),
  ...under('ops.Relu tf.nn.relu', activation('relu')),
  ...under('ops.Relu6 tf.nn.relu6', activation('relu6')),
  ...under('ops.LeakyRelu', activation('leaky_relu')),
  ...under('ops.Elu tf.nn.elu', activation('elu')),
  ...under('ops.Selu tf.nn.selu', activation('selu')),
  ...under('ops.Sigmoid tf.math.sigmoid tf.nn.sigmoid', activation('sigmoid')),
  ...under('ops.Tanh tf.math.tanh tf.nn.tanh', activation('tanh')),
  ...under('ops.Silu tf.nn.silu tf.nn.swish', activation('silu')),
  ...under('ops.Gelu tf.nn.gelu', (layer, builder) => {
    const options = { approximate: argumentOf(layer, 1, 'approximate') ?? layer.className !== 'TFOpLambda' };
    const x = tensorArgument(layer, 0, 'x', 'features');
    return [applyActivation(layer, builder, x, { class_name: 'gelu', config: options }, layer.name)];
  }),
  ...under('ops.Softplus tf.math.softplus', activation('softplus')),
  ...under('ops.Softsign tf.nn.softsign', activation('softsign')),
  ...under('ops.Softmax tf.nn.softmax', activation('softmax')),
  ...under('ops.LogSoftmax tf.nn.log_softmax', activation('log_softmax')),
  ...under('ops.LogSigmoid tf.math.log_sigmoid', activation('log_sigmoid')),
  ...under('ops.HardSilu', activation('hard_silu')),
  ...under('ops.HardSigmoid', activation('hard_sigmoid')),
  ...under('ops.HardTanh', activation('hard_tanh')),
  ...under('ops.SparsePlus', activation('sparse_plus')),
  ...under('ops.SparseSigmoid', activation('sparse_sigmoid')),
};
