/**
 * SpaceToBatchND and BatchToSpaceND. TensorFlow writes a dilated convolution as a plain one between the two; read as
 * such it is one Conv again, and the three nodes that it was are left without a reader.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { GraphDefNodeView, GraphDefReader } from '../facets.ts';
import {
  constantNumbersOf,
  innerOf,
  inputOf,
  int64Constant,
  reshapeOf,
  resultOf,
  staticShapeOf,
} from '../graphdef-helpers.ts';
import { indices } from '../pick-elements.ts';

/** What a value that SpaceToBatchND made was made from. */
export interface Blocks {
  readonly x: Value;
  readonly block: readonly number[];
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

/** A plain convolution over such a value. */
export interface SpacedConv {
  readonly blocks: Blocks;
  readonly weights: Value;
  readonly bias: Value | null;
  readonly group: number;
}

const blockValues = new WeakMap<Value, Blocks>();
export const spacedConvs = new WeakMap<Value, SpacedConv>();

export function blocksBehind(value: Value): Blocks | undefined {
  return blockValues.get(value);
}

interface Amounts {
  readonly block: readonly number[];
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

function amountsOf(node: GraphDefNodeView): Amounts {
  const block = constantNumbersOf(node, 1, 'block sizes');
  const rows = constantNumbersOf(node, 2, 'amounts');
  if (rows.length !== 2 * block.length || block.some((size) => size < 1)) {
    node.refuse(`its block sizes are [${block.join(', ')}] and its amounts [${rows.join(', ')}]`);
  }
  return {
    block,
    begins: rows.filter((_, i) => i % 2 === 0),
    ends: rows.filter((_, i) => i % 2 === 1),
  };
}

/** [B, s…, rest] padded, cut into blocks [B, s/b, b, …], and the places within a block moved into the batch. */
const readSpaceToBatch: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const { block, begins, ends } = amountsOf(node);
  const [batch, ...sizes] = staticShapeOf(node, x);
  const rest = sizes.slice(block.length);
  const around = rest.map(() => 0);
  const pads = int64Constant(node, builder, 'pads', [0, ...begins, ...around, 0, ...ends, ...around]);
  const padded = innerOf(node, builder, 'Pad', [x, pads, null], { mode: 'constant' });
  const counts = block.map((size, i) => (sizes[i] + begins[i] + ends[i]) / size);
  if (!counts.every(Number.isInteger)) node.refuse(`blocks of [${block.join(', ')}] do not fit`);
  const cut = reshapeOf(node, builder, padded, [
    batch,
    ...block.flatMap((size, i) => [counts[i], size]),
    ...rest,
  ]);
  const axes = indices(block.length);
  const tail = rest.map((_, i) => 1 + 2 * block.length + i);
  const perm = [...axes.map((i) => 2 + 2 * i), 0, ...axes.map((i) => 1 + 2 * i), ...tail];
  const moved = innerOf(node, builder, 'Transpose', [cut], { perm });
  const product = block.reduce((total, size) => total * size, batch);
  const shape = int64Constant(node, builder, 'joined', [product, ...counts, ...rest]);
  const result = resultOf(node, builder, 'Reshape', [moved, shape], { allowZero: true });
  blockValues.set(result, { x, block, begins, ends });
  return [result];
};

const readBatchToSpace: GraphDefReader = (node, builder) => {
  const x = inputOf(node, 0);
  const { block, begins, ends } = amountsOf(node);
  const conv = spacedConvs.get(x);
  const dilated = conv && dilatedConv(node, builder, conv, { block, begins, ends });
  if (dilated) return [dilated];
  const [joined, ...sizes] = staticShapeOf(node, x);
  const batch = joined / block.reduce((total, size) => total * size, 1);
  const rest = sizes.slice(block.length);
  const axes = indices(block.length);
  const cut = reshapeOf(node, builder, x, [...block, batch, ...sizes]);
  const tail = rest.map((_, i) => 1 + 2 * block.length + i);
  const perm = [block.length, ...axes.flatMap((i) => [block.length + 1 + i, i]), ...tail];
  const moved = innerOf(node, builder, 'Transpose', [cut], { perm });
  const full = block.map((size, i) => sizes[i] * size);
  const whole = reshapeOf(node, builder, moved, [batch, ...full, ...rest]);
  const span = int64Constant(
    node,
    builder,
    'axes',
    axes.map((i) => i + 1),
  );
  const starts = int64Constant(node, builder, 'starts', begins);
  const stops = int64Constant(
    node,
    builder,
    'ends',
    full.map((size, i) => size - ends[i]),
  );
  return [resultOf(node, builder, 'Slice', [whole, starts, stops, span, null])];
};

/** The convolution over x itself; undefined where the crop takes more than was padded. */
function dilatedConv(
  node: GraphDefNodeView,
  builder: GraphBuilder,
  { blocks, weights, bias, group }: SpacedConv,
  crop: Amounts,
): Value | undefined {
  const begins = blocks.begins.map((pad, i) => pad - crop.begins[i]);
  const ends = blocks.ends.map((pad, i) => pad - crop.ends[i]);
  const isSame = blocks.block.join() === crop.block.join() && blocks.block.length === 2;
  if (!isSame || [...begins, ...ends].some((pad) => !(pad >= 0))) return undefined;
  return resultOf(node, builder, 'Conv', [blocks.x, weights, bias], {
    layout: 'NHWC',
    strides: [1, 1],
    dilations: blocks.block,
    pads: [...begins, ...ends],
    group,
    activation: 'none',
  });
}

export const blockReaders = { SpaceToBatchND: readSpaceToBatch, BatchToSpaceND: readBatchToSpace };
