import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { floatTensor, type Tensor, tensorOf, toFloat32 } from '../../ir/tensor.ts';
import { scalarConstant } from '../keras-layers.ts';
import {
  activate,
  adder,
  type Cell,
  type CellSource,
  featuresOf,
  fused,
  gates,
  linear,
  type State,
} from './keras-cell.ts';

/** Row `index` of a `[rows, n]` tensor. */
function row(tensor: Tensor, index: number): Tensor {
  const n = tensor.shape[1];
  return tensorOf('float32', [n], toFloat32(tensor).slice(index * n, (index + 1) * n));
}

/**
 * Gates in Keras' order: update, reset, candidate. With `reset_after` the reset gate works on the product (and the
 * recurrent side has a bias of its own), else on the state before it.
 */
export function gruCell(source: CellSource, builder: GraphBuilder): Cell {
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
