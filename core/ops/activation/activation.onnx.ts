/** ONNX activation functions. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { OnnxFacet, OnnxNodeView, OnnxReader } from '../facets.ts';
import { inner, input, integers, named, plainReader, scalar, since } from '../onnx-helpers.ts';
import { activationWriters } from './activation-writers.ts';

/** A reader for one float attribute, or several, with ONNX's defaults. */
function readFloats(op: string, defaults: Readonly<Record<string, number>>): OnnxReader {
  return (node, builder) => {
    const attrs = Object.fromEntries(
      Object.entries(defaults).map(([name, fallback]) => [name, node.float(name, fallback)]),
    );
    builder.add(op, [input(node, 0)], attrs, named(node));
  };
}

/** Limits as attributes, up to opset 10. */
const readClip6: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const limit = (name: string, none: number): Value | null => {
    const value = node.float(name, none);
    // ONNX's defaults are the largest floats: no limit at all.
    return Math.abs(value) >= 3.4e38 ? null : scalar(builder, node, name, x.type.dtype, value);
  };
  const low = limit('min', Number.NEGATIVE_INFINITY);
  const high = limit('max', Number.POSITIVE_INFINITY);
  builder.add('Clip', [x, low, high], {}, named(node));
};

const readClip11: OnnxReader = (node, builder) => {
  builder.add('Clip', [input(node, 0), node.inputs[1] ?? null, node.inputs[2] ?? null], {}, named(node));
};

const readGelu: OnnxReader = (node, builder) => {
  const approximate = node.string('approximate', 'none') === 'tanh';
  builder.add('Gelu', [input(node, 0)], { approximate }, named(node));
};

const readSwish: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const alpha = node.float('alpha', 1);
  if (alpha === 1) {
    builder.add('Swish', [x], {}, named(node));
    return;
  }
  const factor = scalar(builder, node, 'alpha', x.type.dtype, alpha);
  const scaled = builder.one('Mul', [x, factor], { activation: 'none' }, inner(node, 'scaled'));
  const gate = builder.one('Sigmoid', [scaled], {}, inner(node, 'gate'));
  builder.add('Mul', [x, gate], { activation: 'none' }, named(node));
};

/** max(0, x) + min(0, α (exp(x/α) − 1)), which is α × elu(x/α). */
const readCelu: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const alpha = node.float('alpha', 1);
  if (alpha === 1) {
    builder.add('Elu', [x], { alpha: 1 }, named(node));
    return;
  }
  const factor = scalar(builder, node, 'alpha', x.type.dtype, alpha);
  const scaled = builder.one('Div', [x, factor], { activation: 'none' }, inner(node, 'scaled'));
  const elu = builder.one('Elu', [scaled], { alpha: 1 }, inner(node, 'elu'));
  builder.add('Mul', [elu, factor], { activation: 'none' }, named(node));
};

/** x above alpha, else 0. */
const readThresholdedRelu: OnnxReader = (node, builder) => {
  const x = input(node, 0);
  const { dtype } = x.type;
  const limit = scalar(builder, node, 'alpha', dtype, node.float('alpha', 1));
  const above = builder.one('Greater', [x, limit], {}, inner(node, 'above'));
  builder.add('Where', [above, x, scalar(builder, node, 'zero', dtype, 0)], {}, named(node));
};

/** Up to opset 12 the axes from `axis` on count as one. */
function readSoftmax1(op: string): OnnxReader {
  return (node, builder) => {
    const x = input(node, 0);
    const { shape } = x.type;
    const axis = normalAxis(node, node.int('axis', 1), shape.length);
    if (shape.slice(axis + 1).every((dim) => dim === 1)) {
      builder.add(op, [x], { axis }, named(node));
      return;
    }
    flattened(node, builder, op, x, axis);
  };
}

function flattened(node: OnnxNodeView, builder: GraphBuilder, op: string, x: Value, axis: number): void {
  const shape = x.type.shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new Error(`${node.opType} "${node.name}" flattens its input, whose dimension ${dim} is open`);
  });
  const rows = shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const matrix = integers(builder, node, 'matrix', [rows, -1]);
  const flat = builder.one('Reshape', [x, matrix], { allowZero: false }, inner(node, 'flat'));
  const result = builder.one(op, [flat], { axis: 1 }, inner(node, 'rows'));
  builder.add(
    'Reshape',
    [result, integers(builder, node, 'shape', shape)],
    { allowZero: false },
    named(node),
  );
}

function normalAxis(node: OnnxNodeView, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) node.refuse(`axis ${axis} is outside a tensor of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

function readSoftmax13(op: string): OnnxReader {
  return (node, builder) => {
    const x = input(node, 0);
    const axis = normalAxis(node, node.int('axis', -1), x.type.shape.length);
    builder.add(op, [x], { axis }, named(node));
  };
}

export const activationOnnx = {
  read: {
    Relu: since(6, plainReader('Relu')),
    Clip: { 6: readClip6, 11: readClip11 },
    LeakyRelu: since(6, readFloats('LeakyRelu', { alpha: 0.01 })),
    PRelu: since(7, plainReader('PRelu')),
    Elu: since(6, readFloats('Elu', { alpha: 1 })),
    Selu: since(6, readFloats('Selu', { alpha: 1.6732632423543772, gamma: 1.0507009873554805 })),
    Celu: since(12, readCelu),
    ThresholdedRelu: since(10, readThresholdedRelu),
    Sigmoid: since(6, plainReader('Sigmoid')),
    HardSigmoid: since(6, readFloats('HardSigmoid', { alpha: 0.2, beta: 0.5 })),
    HardSwish: since(14, plainReader('HardSwish')),
    Swish: since(24, readSwish),
    Tanh: since(6, plainReader('Tanh')),
    Softplus: since(1, plainReader('Softplus')),
    Softsign: since(1, plainReader('Softsign')),
    Gelu: since(20, readGelu),
    Mish: since(18, plainReader('Mish')),
    Softmax: { 1: readSoftmax1('Softmax'), 13: readSoftmax13('Softmax') },
    LogSoftmax: { 1: readSoftmax1('LogSoftmax'), 13: readSoftmax13('LogSoftmax') },
  },
  write: activationWriters,
} satisfies OnnxFacet;
