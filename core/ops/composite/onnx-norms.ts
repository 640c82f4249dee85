/** ONNX normalizations written out in arithmetic. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor } from '../../ir/tensor.ts';
import type { OnnxNodeView, OnnxReader } from '../facets.ts';
import { inner, input, integers, named, only, scalar } from '../onnx-helpers.ts';
import { indices } from '../pick-elements.ts';

const plain = { activation: 'none' } as const;

/** Adds the steps of one node. */
class Steps {
  private readonly node: OnnxNodeView;
  private readonly builder: GraphBuilder;

  constructor(node: OnnxNodeView, builder: GraphBuilder) {
    this.node = node;
    this.builder = builder;
  }

  two(op: string, a: Value, b: Value, what: string): Value {
    return this.builder.one(op, [a, b], plain, inner(this.node, what));
  }

  last(op: string, inputs: readonly Value[]): void {
    this.builder.add(op, inputs, plain, named(this.node));
  }

  root(x: Value, epsilon: number, what: string): Value {
    const shifted = this.two('Add', x, this.number(x, epsilon, `${what}/epsilon`), `${what}/shifted`);
    return this.builder.one('Sqrt', [shifted], {}, inner(this.node, what));
  }

  number(like: Value, value: number, what: string): Value {
    return scalar(this.builder, this.node, what, like.type.dtype, value);
  }

  mean(x: Value, axes: Value, what: string): Value {
    return this.builder.one('ReduceMean', [x, axes], { keepDims: true }, inner(this.node, what));
  }

  axes(values: readonly number[]): Value {
    return integers(this.builder, this.node, 'axes', values);
  }

  reshape(x: Value, shape: readonly number[], what: string): Value {
    const wanted = integers(this.builder, this.node, `${what}/shape`, shape);
    return this.builder.one('Reshape', [x, wanted], { allowZero: false }, inner(this.node, what));
  }

  /** (x − mean) / √(variance + epsilon) over axes. */
  normal(x: Value, axes: readonly number[], epsilon: number): Value {
    const list = this.axes(axes);
    const centered = this.two('Sub', x, this.mean(x, list, 'mean'), 'centered');
    const variance = this.mean(this.two('Mul', centered, centered, 'squared'), list, 'variance');
    return this.two('Div', centered, this.root(variance, epsilon, 'deviation'), 'normal');
  }
}

function staticShape(node: OnnxNodeView, x: Value): number[] {
  return x.type.shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new Error(`${node.opType} "${node.name}" works on an open dimension, ${dim}`);
  });
}

function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Scale and bias are per group up to opset 20, per channel from 21 on. */
const readGroupNormalization: OnnxReader = (node, builder) => {
  only(node, 'stash_type', node.int('stash_type', 1), 1);
  const x = input(node, 0);
  const shape = staticShape(node, x);
  const groups = node.int('num_groups', 0);
  const [batch, channels, ...space] = shape;
  if (groups < 1 || channels % groups !== 0)
    node.refuse(`num_groups = ${groups} does not divide ${channels} channels`);
  const steps = new Steps(node, builder);
  const perGroup = node.opset < 21;
  const grouped = steps.reshape(x, [batch, groups, -1], 'grouped');
  const normal = steps.normal(grouped, [2], node.float('epsilon', 1e-5));
  const ones = space.map(() => 1);
  if (perGroup) {
    const scaled = steps.two('Mul', normal, steps.reshape(input(node, 1), [groups, 1], 'scale'), 'scaled');
    const shifted = steps.two('Add', scaled, steps.reshape(input(node, 2), [groups, 1], 'bias'), 'biased');
    builder.add(
      'Reshape',
      [shifted, integers(builder, node, 'shape', shape)],
      { allowZero: false },
      named(node),
    );
    return;
  }
  const back = steps.reshape(normal, shape, 'channels');
  const scaled = steps.two(
    'Mul',
    back,
    steps.reshape(input(node, 1), [channels, ...ones], 'scale'),
    'scaled',
  );
  steps.last('Add', [scaled, steps.reshape(input(node, 2), [channels, ...ones], 'bias')]);
};

const readMeanVarianceNormalization: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const steps = new Steps(node, builder);
  const axes = node.ints('axes') ?? [0, 2, 3];
  const list = steps.axes(axes);
  const centered = steps.two('Sub', x, steps.mean(x, list, 'mean'), 'centered');
  const variance = steps.mean(steps.two('Mul', centered, centered, 'squared'), list, 'variance');
  const deviation = builder.one('Sqrt', [variance], {}, inner(node, 'deviation'));
  // ONNX's function adds this number to the deviation.
  steps.last('Div', [centered, steps.two('Add', deviation, steps.number(x, 1e-9, 'epsilon'), 'divisor')]);
};

const readRmsNormalization: OnnxReader = (node, builder) => {
  only(node, 'stash_type', node.int('stash_type', 1), 1);
  const x = input(node, 0);
  const rank = x.type.shape.length;
  const steps = new Steps(node, builder);
  const list = steps.axes(indices(rank).slice(normalAxis(node.int('axis', -1), rank)));
  const square = steps.mean(steps.two('Mul', x, x, 'squared'), list, 'mean');
  const normal = steps.two('Div', x, steps.root(square, node.float('epsilon', 1e-5), 'root'), 'normal');
  steps.last('Mul', [normal, input(node, 1)]);
};

/** Division by the 1- or 2-norm along an axis. */
const readLpNormalization: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const steps = new Steps(node, builder);
  const p = node.int('p', 2);
  if (p !== 1 && p !== 2) node.refuse(`p = ${p} is not supported; 1 and 2 are`);
  const list = steps.axes([normalAxis(node.int('axis', -1), x.type.shape.length)]);
  const size = p === 1 ? builder.one('Abs', [x], {}, inner(node, 'size')) : steps.two('Mul', x, x, 'squared');
  const sum = builder.one('ReduceSum', [size, list], { keepDims: true }, inner(node, 'sum'));
  const norm = p === 1 ? sum : builder.one('Sqrt', [sum], {}, inner(node, 'norm'));
  // A zero vector stays zero.
  const zero = steps.number(x, 0, 'zero');
  const empty = builder.one('Equal', [norm, zero], {}, inner(node, 'empty'));
  const divisor = builder.one('Where', [empty, steps.number(x, 1, 'one'), norm], {}, inner(node, 'divisor'));
  steps.last('Div', [x, divisor]);
};

/**
 * x / (bias + alpha / size × Σ x²)^beta, summed over neighbouring channels. The sum is a 1×1 convolution whose weights
 * are ones in a band, so that every runtime has it.
 */
const readLrn: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const [, channels] = x.type.shape;
  const size = node.int('size', 0);
  if (typeof channels !== 'number') throw new Error(`LRN "${node.name}" works on an open number of channels`);
  if (x.type.dtype !== 'float32') node.refuse(`${x.type.dtype} data is not supported; float32 is`);
  const steps = new Steps(node, builder);
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const share = node.float('alpha', 1e-4) / size;
  const band = indices(channels * channels).map((i) => {
    const distance = (i % channels) - Math.floor(i / channels);
    return distance >= -before && distance <= after ? share : 0;
  });
  const space = x.type.shape.slice(2).map(() => 1);
  const weights = builder.constant(`${node.name}/band`, floatTensor([channels, channels, ...space], band));
  const bias = new Array<number>(channels).fill(node.float('bias', 1));
  const start = builder.constant(`${node.name}/bias`, floatTensor([channels], bias));
  const pads = [...space, ...space].map(() => 0);
  const attrs = { layout: 'NCHW', strides: space, dilations: space, pads, group: 1, activation: 'none' };
  const squared = steps.two('Mul', x, x, 'squared');
  const sum = builder.one('Conv', [squared, weights, start], attrs, inner(node, 'sum'));
  const power = builder.one(
    'Pow',
    [sum, steps.number(x, node.float('beta', 0.75), 'beta')],
    {},
    inner(node, 'power'),
  );
  steps.last('Div', [x, power]);
};

export const normReaders = {
  LRN: { 1: readLrn },
  GroupNormalization: { 18: readGroupNormalization },
  MeanVarianceNormalization: { 9: readMeanVarianceNormalization },
  RMSNormalization: { 23: readRmsNormalization },
  LpNormalization: { 1: readLpNormalization },
};
