import type { Range, Ranges } from '../calibrate/observer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { floatTensor, int64Tensor } from '../ir/tensor.ts';
import { inferTypes } from '../ops/registry.ts';

/** Numbers in (−1, 1) that look random and are always the same. */
export function wave(length: number, seed = 1): number[] {
  return Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 * seed) * 0.9);
}

export function convAttrs(layout: 'NHWC' | 'NCHW', pads = 1) {
  return {
    layout,
    strides: [1, 1],
    dilations: [1, 1],
    pads: [pads, pads, pads, pads],
    group: 1,
    activation: 'relu',
  } as const;
}

const source = { format: 'keras' } as const;

/** Convolution, maximum pooling, flattening, dense layer, softmax: input x `[1, 4, 4, 2]`, output y `[1, classes]`. */
export function smallNet(layout: 'NHWC' | 'NCHW' = 'NHWC', classes = 3): Graph {
  const builder = new GraphBuilder('small', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: layout === 'NHWC' ? [1, 4, 4, 2] : [1, 2, 4, 4] });
  const weights = builder.constant('conv/kernel', floatTensor([4, 2, 3, 3], wave(72)));
  const bias = builder.constant('conv/bias', floatTensor([4], wave(4, 2)));
  const conv = builder.one('Conv', [x, weights, bias], convAttrs(layout), { name: 'conv' });
  const pooled = builder.one(
    'MaxPool',
    [conv],
    {
      layout,
      strides: [2, 2],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      kernelShape: [2, 2],
      ceilMode: false,
      activation: 'none',
    },
    { name: 'pool' },
  );
  // The dense layer's weights are for channels last: the other order transposes first, as preparation does.
  const ordered =
    layout === 'NHWC' ? pooled : builder.one('Transpose', [pooled], { perm: [0, 2, 3, 1] }, { name: 'nhwc' });
  const shape = builder.constant('flat/shape', int64Tensor([2], [1, 16]));
  const flat = builder.one('Reshape', [ordered, shape], { allowZero: false }, { name: 'flat' });
  const matrix = builder.constant('dense/kernel', floatTensor([classes, 16], wave(16 * classes, 3)));
  const offset = builder.constant(
    'dense/bias',
    floatTensor([classes], [0.1, -0.2, ...new Array<number>(classes - 2).fill(0)]),
  );
  const dense = builder.one(
    'FullyConnected',
    [flat, matrix, offset],
    { activation: 'none' },
    { name: 'dense' },
  );
  builder.one('Softmax', [dense], { axis: -1 }, { name: 'softmax', outputs: ['y'] });
  return builder.finish(['y'], source);
}

export const smallRanges: Ranges = ranges({ x: [-1, 1], conv: [0, 2], dense: [-3, 5], y: [0, 1] });

export function ranges(of: Readonly<Record<string, readonly [number, number]>>): Ranges {
  return new Map<string, Range>(Object.entries(of).map(([id, [min, max]]) => [id, { min, max }]));
}

/** A graph of one input x `[1, 8]` and what `make` adds to it; outputs are what it returns. */
export function vectorGraph(make: (builder: GraphBuilder, x: Value) => Value[]): Graph {
  const builder = new GraphBuilder('vector', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 8] });
  const outputs = make(builder, x);
  return builder.finish(
    outputs.map(({ id }) => id),
    source,
  );
}

/** One line per node: what it is, what it reads and makes, with types. */
export function graphText(graph: Graph): string[] {
  const word = (id: string | null) => {
    if (id === null) return '-';
    const { type, quant, constant } = graph.values.get(id)!;
    const scales = quant ? `(${quant.scales.length > 1 ? `${quant.scales.length} scales` : 'scale'})` : '';
    return `${id}:${type.dtype}${scales}${constant ? '!' : ''}`;
  };
  return graph.nodes.map((node) => {
    const parameters = node.op === 'QuantizeLinear' || node.op === 'DequantizeLinear';
    const inputs = parameters ? node.inputs.slice(0, 1) : node.inputs;
    return `${node.op} ${inputs.map(word).join(' ')} -> ${node.outputs.map(word).join(' ')}`;
  });
}
