import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { contiguous, permute, type Tensor } from '../../ir/tensor.ts';
import { weightConstant } from '../keras-layers.ts';

interface Labels {
  readonly left: string;
  readonly right: string;
  readonly out: string;
}

/** What is wrong with an equation, as a sentence for the refusal. */
export class EinsumError extends Error {}

/** Splits `ab,bc->ac` and writes an ellipsis out as capital letters, one per axis that it stands for. */
function parse(equation: string, leftRank: number, rightRank: number): Labels {
  const match = /^([a-zA-Z.]+),([a-zA-Z.]+)->([a-zA-Z.]*)$/.exec(equation.replaceAll(' ', ''));
  if (!match) throw new EinsumError(`the equation ${equation} is not of the form ab,bc->ac`);
  const [, left, right, out] = match;
  const hidden = Math.max(hiddenAxes(left, leftRank), hiddenAxes(right, rightRank));
  const spelled = '\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}'.slice(0, hidden);
  const write = (labels: string, rank: number) => {
    const count = hiddenAxes(labels, rank);
    return labels.replace('...', count > 0 ? spelled.slice(-count) : '');
  };
  return { left: write(left, leftRank), right: write(right, rightRank), out: out.replace('...', spelled) };
}

function hiddenAxes(labels: string, rank: number): number {
  return labels.includes('...') ? rank - labels.replace('...', '').length : 0;
}

/** Labels of both sides by what becomes of them. */
function sort({ left, right, out }: Labels, equation: string) {
  for (const labels of [left, right, out]) {
    if (new Set(labels).size !== labels.length) throw new EinsumError(`${equation} names an axis twice`);
  }
  const lost = [...left, ...right].find(
    (label) => !out.includes(label) && !(left.includes(label) && right.includes(label)),
  );
  if (lost) throw new EinsumError(`${equation} sums over axis ${lost} of one side alone`);
  const both = [...left].filter((label) => right.includes(label));
  return {
    batch: both.filter((label) => out.includes(label)),
    inner: both.filter((label) => !out.includes(label)),
    rows: [...left].filter((label) => !right.includes(label)),
    columns: [...right].filter((label) => !left.includes(label)),
  };
}

/**
 * `einsum(equation, left, right)` of two tensors of known sizes as one matrix product between transposes and reshapes
 * (each left out where it changes nothing); a constant right side without batch axes makes it a FullyConnected, which
 * takes the bias `[columns]` along.
 * @throws EinsumError for what is no matrix product.
 */
export function einsum(
  builder: GraphBuilder,
  equation: string,
  left: Value,
  right: Value | Tensor,
  name: string,
  bias: Tensor | null = null,
): Value {
  const leftShape = left.type.shape.map(Number);
  const rightShape = 'bytes' in right ? [...right.shape] : right.type.shape.map(Number);
  const labels = parse(equation, leftShape.length, rightShape.length);
  const { batch, inner, rows, columns } = sort(labels, equation);
  const sizes = new Map<string, number>();
  for (const [text, shape] of [
    [labels.left, leftShape],
    [labels.right, rightShape],
  ] as const) {
    if (text.length !== shape.length) throw new EinsumError(`${equation} does not fit [${shape.join(', ')}]`);
    [...text].forEach((label, axis) => {
      if (sizes.has(label) && sizes.get(label) !== shape[axis]) {
        throw new EinsumError(
          `${equation} does not fit [${leftShape.join(', ')}] and [${rightShape.join(', ')}]`,
        );
      }
      sizes.set(label, shape[axis]);
    });
  }
  const shapeOf = (list: readonly string[]) => list.map((label) => sizes.get(label)!);
  const count = (list: readonly string[]) => shapeOf(list).reduce((product, size) => product * size, 1);
  const arrange = (
    value: Value,
    text: string,
    order: readonly string[],
    shape: readonly number[],
    suffix: string,
  ) =>
    reshape(builder, transpose(builder, value, text, order, `${name}/${suffix}`), shape, `${name}/${suffix}`);

  const plainOut = [...batch, ...rows, ...columns];
  const inOrder = labels.out === plainOut.join('');
  const productName = (isLast: boolean) => (isLast ? name : `${name}/product`);
  let product: Value;
  if ('bytes' in right && batch.length === 0) {
    const x = arrange(left, labels.left, [...rows, ...inner], [...shapeOf(rows), count(inner)], 'left');
    const matrix = asMatrix(right, labels.right, columns, inner, count(columns), count(inner));
    const weights = weightConstant(builder, `${name}/kernel`, matrix);
    const biasValue = bias ? weightConstant(builder, `${name}/bias`, bias) : null;
    const isLast = inOrder && columns.length === 1;
    product = builder.one(
      'FullyConnected',
      [x, weights, biasValue],
      { activation: 'none' },
      { name: productName(isLast) },
    );
  } else {
    const a = arrange(
      left,
      labels.left,
      [...batch, ...rows, ...inner],
      [...shapeOf(batch), count(rows), count(inner)],
      'left',
    );
    const side = 'bytes' in right ? weightConstant(builder, `${name}/kernel`, right) : right;
    const b = arrange(
      side,
      labels.right,
      [...batch, ...inner, ...columns],
      [...shapeOf(batch), count(inner), count(columns)],
      'right',
    );
    const isLast = inOrder && rows.length === 1 && columns.length === 1;
    product = builder.one('MatMul', [a, b], {}, { name: productName(isLast) });
  }
  const spread = reshape(builder, product, shapeOf(plainOut), inOrder ? name : `${name}/spread`);
  return transpose(builder, spread, plainOut.join(''), [...labels.out], name);
}

function transpose(
  builder: GraphBuilder,
  value: Value,
  labels: string,
  order: readonly string[],
  name: string,
): Value {
  const perm = order.map((label) => labels.indexOf(label));
  if (perm.every((axis, i) => axis === i)) return value;
  return builder.one('Transpose', [value], { perm }, { name });
}

function reshape(builder: GraphBuilder, value: Value, shape: readonly number[], name: string): Value {
  if (value.type.shape.join() === shape.join()) return value;
  const target = builder.constant(`${name}/shape`, {
    dtype: 'int64',
    shape: [shape.length],
    bytes: new Uint8Array(BigInt64Array.from(shape, BigInt).buffer),
  });
  return builder.one('Reshape', [value, target], { allowZero: false }, { name });
}

/** A kernel as `[N, K]`: a view where the axes that are merged lie next to each other already. */
function asMatrix(
  kernel: Tensor,
  labels: string,
  columns: readonly string[],
  inner: readonly string[],
  n: number,
  k: number,
): Tensor {
  if (!kernel.strides && labels === [...inner, ...columns].join('')) {
    return permute({ ...kernel, shape: [k, n] }, [1, 0]);
  }
  const order = [...columns, ...inner].map((label) => labels.indexOf(label));
  return { ...contiguous(permute(kernel, order)), shape: [n, k] };
}
