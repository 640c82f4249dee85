/** What Keras' recurrent cells have in common. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { permute, type Tensor } from '../../ir/tensor.ts';
import { applyActivation } from '../activation/keras-activations.ts';
import type { KerasLayerView, KerasWeights } from '../facets.ts';
import { intsConstant, shapeOf, weightConstant } from '../keras-layers.ts';

export const fused: Attrs = { activation: 'none' };

/** Adds a node under a given name. */
type Add = (op: string, inputs: readonly (Value | null)[], name: string, attrs?: Attrs) => Value;

/** A state of zeros is `null`: what is multiplied by it is left out. */
export type State = Value | null;

export interface Cell {
  readonly states: number;
  /** The part of the input that does not depend on the state, for all steps of `[batch, time, …]` at once. */
  project(x: Value): Value;
  /** One step on the projected input of that step. The output is the first state. */
  step(projected: Value, states: readonly State[], name: string): Value[];
}

/** Everything a cell is made of: its options come from `options`, which is the layer itself or a cell in it. */
export interface CellSource {
  readonly kind: 'SimpleRNN' | 'LSTM' | 'GRU' | 'ConvLSTM';
  readonly options: KerasLayerView;
  readonly weights: KerasWeights;
  readonly name: string;
}

export function adder(builder: GraphBuilder): Add {
  return (op, inputs, name, attrs = {}) => builder.one(op, inputs, attrs, { name });
}

/** x · kernel + bias over the last axis. */
export function linear(
  builder: GraphBuilder,
  x: Value,
  kernel: Tensor,
  bias: Tensor | undefined,
  weightName: string,
  name: string,
): Value {
  const weights = weightConstant(builder, weightName, permute(kernel, [1, 0]));
  const biasValue = bias ? weightConstant(builder, weightName.replace('kernel', 'bias'), bias) : null;
  return builder.one('FullyConnected', [x, weights, biasValue], fused, { name });
}

export function activate(
  source: CellSource,
  builder: GraphBuilder,
  x: Value,
  option: string,
  name: string,
): Value {
  const fallback = option === 'activation' ? 'tanh' : 'sigmoid';
  return applyActivation(source.options, builder, x, source.options.config[option] ?? fallback, name);
}

/** Equal parts of the last axis. */
export function gates(builder: GraphBuilder, x: Value, count: number, name: string): Value[] {
  const axis = x.type.shape.length - 1;
  const size = Number(x.type.shape[axis]) / count;
  const sizes = intsConstant(builder, `${name}/sizes`, new Array<number>(count).fill(size));
  return builder.add('Split', [x, sizes], { axis }, { name });
}

export function featuresOf(source: CellSource, x: Value): number {
  return shapeOf(source.options, x).at(-1)!;
}
