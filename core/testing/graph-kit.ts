import { GraphBuilder } from '../ir/builder.ts';
import type { Attrs, Graph, Value } from '../ir/graph.ts';
import { elementCount, floatTensor, int64Tensor, type Tensor } from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import { inferTypes } from '../ops/registry.ts';
import { channelAxis } from '../ops/spatial.ts';
import type { Layout } from '../ops/vocabulary.ts';

export interface WindowOptions {
  strides?: number[];
  pads?: number[];
  dilations?: number[];
}

/** Builds small float graphs for tests: seeded weights, the usual layers, either layout. */
export class GraphKit {
  readonly builder: GraphBuilder;
  readonly feeds: Record<string, Tensor> = {};
  readonly layout: Layout;
  private readonly next: () => number;

  constructor(seed = 1, layout: Layout = 'NCHW') {
    this.builder = new GraphBuilder('test', inferTypes);
    this.layout = layout;
    this.next = mulberry32(seed);
  }

  /** Seeded numbers in [low, high). */
  numbers(shape: readonly number[], low = -1, high = 1): Tensor {
    return floatTensor(
      shape,
      Array.from({ length: elementCount(shape) }, () => low + (high - low) * this.next()),
    );
  }

  input(...shape: number[]): Value {
    const name = `x${Object.keys(this.feeds).length}`;
    this.feeds[name] = this.numbers(shape);
    return this.builder.input(name, { dtype: 'float32', shape });
  }

  weight(shape: readonly number[], low = -1, high = 1): Value {
    return this.builder.constant('w', this.numbers(shape, low, high));
  }

  constant(shape: readonly number[], values: readonly number[]): Value {
    return this.builder.constant('c', floatTensor(shape, values));
  }

  ints(...values: number[]): Value {
    return this.builder.constant('i', int64Tensor([values.length], values));
  }

  split(x: Value, axis: number, sizes: readonly number[]): Value[] {
    return this.builder.add('Split', [x, this.ints(...sizes)], { axis });
  }

  op(op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}, name?: string): Value {
    return this.builder.one(op, inputs, attrs, { name, outputs: name ? [name] : undefined });
  }

  channels(x: Value): number {
    return x.type.shape[channelAxis(this.layout, x.type.shape.length)] as number;
  }

  private window(x: Value, options: WindowOptions): Attrs {
    const axes = x.type.shape.length - 2;
    return {
      layout: this.layout,
      strides: options.strides ?? new Array<number>(axes).fill(1),
      dilations: options.dilations ?? new Array<number>(axes).fill(1),
      pads: options.pads ?? new Array<number>(2 * axes).fill(0),
    };
  }

  conv(
    x: Value,
    filters: number,
    kernel: number,
    options: WindowOptions & { group?: number; bias?: boolean } = {},
  ): Value {
    const group = options.group ?? 1;
    const axes = x.type.shape.length - 2;
    const weights = this.weight([filters, this.channels(x) / group, ...new Array<number>(axes).fill(kernel)]);
    const bias = options.bias === false ? null : this.weight([filters]);
    return this.op('Conv', [x, weights, bias], { ...this.window(x, options), group, activation: 'none' });
  }

  convTranspose(
    x: Value,
    filters: number,
    kernel: number,
    options: WindowOptions & { group?: number } = {},
  ): Value {
    const group = options.group ?? 1;
    const weights = this.weight([this.channels(x), filters / group, kernel, kernel]);
    return this.op('ConvTranspose', [x, weights, this.weight([filters])], {
      ...this.window(x, options),
      group,
      outputPadding: [0, 0],
      activation: 'none',
    });
  }

  pool(op: 'MaxPool' | 'AveragePool', x: Value, kernel: number, options: WindowOptions = {}): Value {
    return this.op(op, [x], {
      ...this.window(x, { strides: [kernel, kernel], ...options }),
      kernelShape: [kernel, kernel],
      ceilMode: false,
      activation: 'none',
      ...(op === 'AveragePool' ? { countIncludePad: false } : {}),
    });
  }

  batchNorm(x: Value, axis = channelAxis(this.layout, x.type.shape.length)): Value {
    const shape = [x.type.shape[axis] as number];
    const parameters = [
      this.weight(shape, 0.5, 2),
      this.weight(shape),
      this.weight(shape),
      this.weight(shape, 0.5, 2),
    ];
    return this.op('BatchNormalization', [x, ...parameters], { epsilon: 1e-3, axis });
  }

  relu(x: Value): Value {
    return this.op('Relu', [x]);
  }

  relu6(x: Value): Value {
    return this.op('Clip', [x, this.constant([], [0]), this.constant([], [6])]);
  }

  binary(op: 'Add' | 'Sub' | 'Mul' | 'Div', a: Value, b: Value): Value {
    return this.op(op, [a, b], { activation: 'none' });
  }

  /** Pads space only. */
  pad(x: Value, begins: readonly number[], ends: readonly number[], value?: number): Value {
    const around = (amounts: readonly number[]) =>
      this.layout === 'NCHW' ? [0, 0, ...amounts] : [0, ...amounts, 0];
    const fill = value === undefined ? null : this.constant([], [value]);
    return this.op('Pad', [x, this.ints(...around(begins), ...around(ends)), fill], { mode: 'constant' });
  }

  reshape(x: Value, ...shape: number[]): Value {
    return this.op('Reshape', [x, this.ints(...shape)], { allowZero: false });
  }

  transpose(x: Value, ...perm: number[]): Value {
    return this.op('Transpose', [x], { perm });
  }

  /** All features in one axis, channels first in either layout. */
  flatten(x: Value): Value {
    const first = this.layout === 'NHWC' && x.type.shape.length === 4 ? this.transpose(x, 0, 3, 1, 2) : x;
    return this.reshape(first, x.type.shape[0] as number, -1);
  }

  /** Mean over space. */
  globalMean(x: Value, keepDims = false): Value {
    const axes = this.layout === 'NCHW' ? [2, 3] : [1, 2];
    return this.op('ReduceMean', [x, this.ints(...axes)], { keepDims });
  }

  dense(x: Value, units: number): Value {
    const k = x.type.shape[x.type.shape.length - 1] as number;
    return this.op('FullyConnected', [x, this.weight([units, k]), this.weight([units])], {
      activation: 'none',
    });
  }

  finish(...outputs: Value[]): Graph {
    return this.builder.finish(
      outputs.map((value) => value.id),
      { format: 'onnx', opset: 17 },
    );
  }
}

/** How often each operator stands in a graph. */
export function histogram(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}
