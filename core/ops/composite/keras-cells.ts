/** One time step of Keras' recurrent cells. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { floatTensor, permute, type Tensor, tensorOf, toFloat32 } from '../../ir/tensor.ts';
import { applyActivation } from '../activation/keras-activations.ts';
import type { KerasLayerView, KerasWeights } from '../facets.ts';
import {
  explicitPads,
  intsConstant,
  reshapeTo,
  scalarConstant,
  shapeOf,
  spatialSizes,
  weightConstant,
} from '../keras-layers.ts';

const fused: Attrs = { activation: 'none' };

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

export function makeCell(source: CellSource, builder: GraphBuilder): Cell {
  if (source.kind === 'SimpleRNN') return simpleCell(source, builder);
  if (source.kind === 'GRU') return gruCell(source, builder);
  return lstmCell(source, builder);
}

function adder(builder: GraphBuilder): Add {
  return (op, inputs, name, attrs = {}) => builder.one(op, inputs, attrs, { name });
}

/** x · kernel + bias over the last axis. */
function linear(
  builder: GraphBuilder,
  x: Value,
  kernel: Tensor,
  bias: Tensor | undefined,
  weightName: string,
  name: string,
): Value {
  const weights = weightConstant(builder, weightName, permute(kernel, [1, 0]));
  const biasValue = bias ? weightConstant(builder, `${weightName}_bias`, bias) : null;
  return builder.one('FullyConnected', [x, weights, biasValue], fused, { name });
}

function activate(source: CellSource, builder: GraphBuilder, x: Value, option: string, name: string): Value {
  const fallback = option === 'activation' ? 'tanh' : 'sigmoid';
  return applyActivation(source.options, builder, x, source.options.config[option] ?? fallback, name);
}

/** Equal parts of the last axis. */
function gates(builder: GraphBuilder, x: Value, count: number, name: string): Value[] {
  const axis = x.type.shape.length - 1;
  const size = Number(x.type.shape[axis]) / count;
  const sizes = intsConstant(builder, `${name}/sizes`, new Array<number>(count).fill(size));
  return builder.add('Split', [x, sizes], { axis }, { name });
}

function featuresOf(source: CellSource, x: Value): number {
  return shapeOf(source.options, x).at(-1)!;
}

function simpleCell(source: CellSource, builder: GraphBuilder): Cell {
  const { options, weights, name } = source;
  const units = options.int('units');
  const bias = options.boolean('use_bias', true) ? weights.weight('bias', [units]) : undefined;
  const recurrent = weights.weight('recurrent_kernel', [units, units]);
  return {
    states: 1,
    project: (x) =>
      linear(
        builder,
        x,
        weights.weight('kernel', [featuresOf(source, x), units]),
        bias,
        `${name}/kernel`,
        `${name}/projected`,
      ),
    step(projected, [h], at) {
      const sum = h
        ? builder.one(
            'Add',
            [
              projected,
              linear(builder, h, recurrent, undefined, `${name}/recurrent_kernel`, `${at}/recurrent`),
            ],
            fused,
            { name: `${at}/sum` },
          )
        : projected;
      return [activate(source, builder, sum, 'activation', `${at}/h`)];
    },
  };
}

/** Gates in Keras' order: input, forget, candidate, output. ConvLSTM convolves where LSTM multiplies. */
function lstmCell(source: CellSource, builder: GraphBuilder): Cell {
  const { options, name } = source;
  const add = adder(builder);
  const { project, recur } =
    source.kind === 'LSTM' ? lstmProducts(source, builder) : convProducts(source, builder);
  return {
    states: 2,
    project,
    step(projected, [h, c], at) {
      const sum = h ? add('Add', [projected, recur(h, `${at}/recurrent`)], `${at}/sum`, fused) : projected;
      const [i, f, g, o] = gates(builder, sum, 4, `${at}/gates`);
      const input = activate(source, builder, i, 'recurrent_activation', `${at}/input_gate`);
      const candidate = activate(source, builder, g, 'activation', `${at}/candidate`);
      const fresh = add('Mul', [input, candidate], `${at}/${c ? 'fresh' : 'c'}`, fused);
      let cell = fresh;
      if (c) {
        const forget = activate(source, builder, f, 'recurrent_activation', `${at}/forget_gate`);
        cell = add('Add', [add('Mul', [forget, c], `${at}/kept`, fused), fresh], `${at}/c`, fused);
      }
      const output = activate(source, builder, o, 'recurrent_activation', `${at}/output_gate`);
      const curved = activate(source, builder, cell, 'activation', `${at}/curved`);
      return [add('Mul', [output, curved], `${at}/h`, fused), cell];
    },
  };

  function lstmProducts({ weights }: CellSource, graph: GraphBuilder) {
    const units = options.int('units');
    const bias = options.boolean('use_bias', true) ? weights.weight('bias', [4 * units]) : undefined;
    const recurrent = weights.weight('recurrent_kernel', [units, 4 * units]);
    return {
      project: (x: Value) =>
        linear(
          graph,
          x,
          weights.weight('kernel', [featuresOf(source, x), 4 * units]),
          bias,
          `${name}/kernel`,
          `${name}/projected`,
        ),
      recur: (h: Value, at: string) => linear(graph, h, recurrent, undefined, `${name}/recurrent_kernel`, at),
    };
  }
}

/** Convolutions of ConvLSTM: of all steps' inputs at once (time goes into the batch), and of the state. */
function convProducts({ options, weights, name }: CellSource, builder: GraphBuilder) {
  const filters = options.int('filters');
  const size = options.config.kernel_size;
  const rank = Array.isArray(size) ? size.length : 2;
  const kernelShape = options.ints('kernel_size', rank);
  const ones = new Array<number>(rank).fill(1);
  const strides = options.ints('strides', rank, ones);
  const dilations = options.ints('dilation_rate', rank, ones);
  if (options.config.data_format === 'channels_first')
    options.refuse('data_format channels_first is not read');
  const bias = options.boolean('use_bias', true) ? weights.weight('bias', [4 * filters]) : undefined;
  const order = [rank + 1, rank, ...ones.map((_, i) => i)];
  const convolve = (
    x: Value,
    kernel: Tensor,
    weightName: string,
    window: { strides: readonly number[]; dilations: readonly number[] },
    padding: string,
    at: string,
    biasTensor?: Tensor,
  ) => {
    const pads = explicitPads(options, padding, spatialSizes(shapeOf(options, x), 'NHWC'), {
      kernel: kernelShape,
      ...window,
    });
    const inputs = [
      x,
      weightConstant(builder, weightName, permute(kernel, order)),
      biasTensor ? weightConstant(builder, `${weightName}_bias`, biasTensor) : null,
    ];
    return builder.one(
      'Conv',
      inputs,
      { layout: 'NHWC', ...window, pads, group: 1, activation: 'none' },
      { name: at },
    );
  };
  return {
    project(x: Value): Value {
      const shape = shapeOf(options, x);
      const channels = shape.at(-1)!;
      const flat = reshapeTo(builder, x, [shape[0] * shape[1], ...shape.slice(2)], `${name}/steps`);
      const kernel = weights.weight('kernel', [...kernelShape, channels, 4 * filters]);
      const y = convolve(
        flat,
        kernel,
        `${name}/kernel`,
        { strides, dilations },
        options.string('padding', 'valid'),
        `${name}/convolved`,
        bias,
      );
      return reshapeTo(
        builder,
        y,
        [shape[0], shape[1], ...shapeOf(options, y).slice(1)],
        `${name}/projected`,
      );
    },
    recur(h: Value, at: string): Value {
      const kernel = weights.weight('recurrent_kernel', [...kernelShape, filters, 4 * filters]);
      return convolve(h, kernel, `${name}/recurrent_kernel`, { strides: ones, dilations: ones }, 'same', at);
    },
  };
}

/** Row `index` of a `[rows, n]` tensor. */
function row(tensor: Tensor, index: number): Tensor {
  const n = tensor.shape[1];
  return tensorOf('float32', [n], toFloat32(tensor).slice(index * n, (index + 1) * n));
}

/**
 * Gates in Keras' order: update, reset, candidate. With `reset_after` the reset gate works on the product (and the
 * recurrent side has a bias of its own), else on the state before it.
 */
function gruCell(source: CellSource, builder: GraphBuilder): Cell {
  const { options, weights, name } = source;
  const add = adder(builder);
  const units = options.int('units');
  const after = options.boolean('reset_after', false);
  const usesBias = options.boolean('use_bias', true);
  const biases = usesBias ? weights.weight('bias', after ? [2, 3 * units] : [3 * units]) : undefined;
  const inputBias = biases && (after ? row(biases, 0) : biases);
  const recurrentBias = biases && after ? row(biases, 1) : undefined;
  const recurrent = weights.weight('recurrent_kernel', [units, 3 * units]);

  const blend = (h: State, update: Value, candidate: Value, at: string): Value => {
    const rest = add('Sub', [scalarConstant(builder, `${at}/one`, 1), update], `${at}/rest`, fused);
    const fresh = add('Mul', [rest, candidate], h ? `${at}/fresh` : `${at}/h`, fused);
    return h ? add('Add', [add('Mul', [update, h], `${at}/kept`, fused), fresh], `${at}/h`, fused) : fresh;
  };

  const resetAfter = (projected: Value, h: State, at: string): Value => {
    const [xz, xr, xh] = gates(builder, projected, 3, `${at}/gates`);
    let product: Value | undefined;
    if (h)
      product = linear(builder, h, recurrent, recurrentBias, `${name}/recurrent_kernel`, `${at}/recurrent`);
    else if (recurrentBias)
      product = builder.constant(`${at}/recurrent`, { ...recurrentBias, shape: [1, 3 * units] });
    const parts = product ? gates(builder, product, 3, `${at}/recurrent_gates`) : undefined;
    const sum = (x: Value, part: Value | undefined, suffix: string) =>
      part ? add('Add', [x, part], `${at}/${suffix}`, fused) : x;
    const update = activate(
      source,
      builder,
      sum(xz, parts?.[0], 'update_sum'),
      'recurrent_activation',
      `${at}/update`,
    );
    const reset = activate(
      source,
      builder,
      sum(xr, parts?.[1], 'reset_sum'),
      'recurrent_activation',
      `${at}/reset`,
    );
    const kept = parts && add('Mul', [reset, parts[2]], `${at}/reset_product`, fused);
    const candidate = activate(
      source,
      builder,
      sum(xh, kept, 'candidate_sum'),
      'activation',
      `${at}/candidate`,
    );
    return blend(h, update, candidate, at);
  };

  const resetBefore = (projected: Value, h: State, at: string): Value => {
    const [xz, xr, xh] = gates(builder, projected, 3, `${at}/gates`);
    const columns = (first: number, count: number) => columnsOf(recurrent, first * units, count * units);
    if (!h) {
      const update = activate(source, builder, xz, 'recurrent_activation', `${at}/update`);
      return blend(h, update, activate(source, builder, xh, 'activation', `${at}/candidate`), at);
    }
    const product = linear(
      builder,
      h,
      columns(0, 2),
      undefined,
      `${name}/recurrent_gates`,
      `${at}/recurrent`,
    );
    const [hz, hr] = gates(builder, product, 2, `${at}/recurrent_gates`);
    const update = activate(
      source,
      builder,
      add('Add', [xz, hz], `${at}/update_sum`, fused),
      'recurrent_activation',
      `${at}/update`,
    );
    const reset = activate(
      source,
      builder,
      add('Add', [xr, hr], `${at}/reset_sum`, fused),
      'recurrent_activation',
      `${at}/reset`,
    );
    const seen = add('Mul', [reset, h], `${at}/seen`, fused);
    const inner = linear(
      builder,
      seen,
      columns(2, 1),
      undefined,
      `${name}/recurrent_candidate`,
      `${at}/candidate_product`,
    );
    const candidate = activate(
      source,
      builder,
      add('Add', [xh, inner], `${at}/candidate_sum`, fused),
      'activation',
      `${at}/candidate`,
    );
    return blend(h, update, candidate, at);
  };

  return {
    states: 1,
    project: (x) =>
      linear(
        builder,
        x,
        weights.weight('kernel', [featuresOf(source, x), 3 * units]),
        inputBias,
        `${name}/kernel`,
        `${name}/projected`,
      ),
    step: (projected, [h], at) => [(after ? resetAfter : resetBefore)(projected, h, at)],
  };
}

const columnViews = new WeakMap<Tensor, Map<number, Tensor>>();

/** Some columns of a matrix, copied once and then shared. */
function columnsOf(matrix: Tensor, first: number, count: number): Tensor {
  let views = columnViews.get(matrix);
  if (!views) {
    views = new Map();
    columnViews.set(matrix, views);
  }
  const known = views.get(first);
  if (known) return known;
  const [rows, columns] = matrix.shape;
  const data = toFloat32(matrix);
  const part = new Float32Array(rows * count);
  for (let r = 0; r < rows; r++)
    part.set(data.subarray(r * columns + first, r * columns + first + count), r * count);
  const tensor = floatTensor([rows, count], part);
  views.set(first, tensor);
  return tensor;
}
