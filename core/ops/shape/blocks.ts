/**
 * SpaceToBatchND and BatchToSpaceND. TensorFlow writes a dilated convolution as a plain one between the two; read as
 * such it is one Conv again, and the three nodes that it was are left without a reader.
 */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import { int64Tensor } from '../../ir/tensor.ts';
import { indices } from '../pick-elements.ts';
import type { FusedActivation, SpatialAttrs } from '../vocabulary.ts';

export interface BlockAmounts {
  readonly block: readonly number[];
  /** Padding, or what is cropped, per blocked axis. */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

/** What a value that SpaceToBatchND made was made from. */
interface Blocks extends BlockAmounts {
  readonly x: Value;
}

/** A plain convolution over such a value. */
interface SpacedConv {
  readonly blocks: Blocks;
  readonly weights: Value;
  readonly bias: Value | null;
  readonly group: number;
  readonly activation: FusedActivation;
}

/** The node that is being read, in whichever format. */
export interface BlockNode {
  readonly name: string;
  refuse(message: string, hint?: string): never;
  /** Adds the node that yields the result. */
  last(op: string, inputs: readonly (Value | null)[], attrs: Attrs): Value;
}

const blockValues = new WeakMap<Value, Blocks>();
const spacedConvs = new WeakMap<Value, SpacedConv>();

/** Remembers a convolution over x without stride, dilation or padding of its own, for a BatchToSpaceND after it. */
export function noteSpacedConv(
  result: Value,
  x: Value,
  conv: Omit<SpacedConv, 'blocks'>,
  { layout, strides, dilations, pads }: SpatialAttrs,
): void {
  const blocks = blockValues.get(x);
  const isPlain = [...strides, ...dilations].every((step) => step === 1) && pads.every((pad) => pad === 0);
  if (blocks && isPlain && layout === 'NHWC') spacedConvs.set(result, { ...conv, blocks });
}

/** @param rows begin and end of each blocked axis, one after the other */
export function amountsOf(node: BlockNode, block: readonly number[], rows: readonly number[]): BlockAmounts {
  if (rows.length !== 2 * block.length || block.some((size) => size < 1)) {
    node.refuse(`its block sizes are [${block.join(', ')}] and its amounts [${rows.join(', ')}]`);
  }
  return { block, begins: rows.filter((_, i) => i % 2 === 0), ends: rows.filter((_, i) => i % 2 === 1) };
}

class Steps {
  private readonly node: BlockNode;
  private readonly builder: GraphBuilder;

  constructor(node: BlockNode, builder: GraphBuilder) {
    this.node = node;
    this.builder = builder;
  }

  one(op: string, inputs: readonly (Value | null)[], attrs: Attrs, what: string): Value {
    return this.builder.one(op, inputs, attrs, { name: `${this.node.name}/${what}` });
  }

  ints(values: readonly number[], what: string): Value {
    return this.builder.constant(`${this.node.name}/${what}`, int64Tensor([values.length], values));
  }

  reshape(x: Value, shape: readonly number[], what: string): Value {
    return this.one('Reshape', [x, this.ints(shape, `${what}_shape`)], { allowZero: true }, what);
  }
}

/** [B, s…, rest] padded, cut into blocks [B, s/b, b, …], and the places within a block moved into the batch. */
export function spaceToBatch(
  node: BlockNode,
  builder: GraphBuilder,
  x: Value,
  shape: readonly number[],
  amounts: BlockAmounts,
): Value {
  const { block, begins, ends } = amounts;
  const steps = new Steps(node, builder);
  const [batch, ...sizes] = shape;
  const rest = sizes.slice(block.length);
  const around = rest.map(() => 0);
  const pads = steps.ints([0, ...begins, ...around, 0, ...ends, ...around], 'pads');
  const padded = steps.one('Pad', [x, pads, null], { mode: 'constant' }, 'pad');
  const counts = block.map((size, i) => (sizes[i] + begins[i] + ends[i]) / size);
  if (!counts.every(Number.isInteger)) node.refuse(`blocks of [${block.join(', ')}] do not fit`);
  const cut = steps.reshape(
    padded,
    [batch, ...block.flatMap((size, i) => [counts[i], size]), ...rest],
    'cut',
  );
  const axes = indices(block.length);
  const tail = rest.map((_, i) => 1 + 2 * block.length + i);
  const perm = [...axes.map((i) => 2 + 2 * i), 0, ...axes.map((i) => 1 + 2 * i), ...tail];
  const moved = steps.one('Transpose', [cut], { perm }, 'transpose');
  const product = block.reduce((total, size) => total * size, batch);
  const joined = steps.ints([product, ...counts, ...rest], 'joined');
  const result = node.last('Reshape', [moved, joined], { allowZero: true });
  blockValues.set(result, { x, ...amounts });
  return result;
}

/** The reverse, or the dilated convolution that stands between the two. */
export function batchToSpace(
  node: BlockNode,
  builder: GraphBuilder,
  x: Value,
  shape: readonly number[],
  amounts: BlockAmounts,
): Value {
  const conv = spacedConvs.get(x);
  const dilated = conv && dilatedConv(node, conv, amounts);
  if (dilated) return dilated;
  const { block, begins, ends } = amounts;
  const steps = new Steps(node, builder);
  const [joined, ...sizes] = shape;
  const batch = joined / block.reduce((total, size) => total * size, 1);
  const rest = sizes.slice(block.length);
  const axes = indices(block.length);
  const cut = steps.reshape(x, [...block, batch, ...sizes], 'cut');
  const tail = rest.map((_, i) => 1 + 2 * block.length + i);
  const perm = [block.length, ...axes.flatMap((i) => [block.length + 1 + i, i]), ...tail];
  const moved = steps.one('Transpose', [cut], { perm }, 'transpose');
  const full = block.map((size, i) => sizes[i] * size);
  const whole = steps.reshape(moved, [batch, ...full, ...rest], 'whole');
  const stops = full.map((size, i) => size - ends[i]);
  const ranges = [
    steps.ints(begins, 'starts'),
    steps.ints(stops, 'ends'),
    steps.ints(
      axes.map((i) => i + 1),
      'axes',
    ),
  ];
  return node.last('Slice', [whole, ...ranges, null], {});
}

/** The convolution over x itself; undefined where the crop takes more than was padded. */
function dilatedConv(
  node: BlockNode,
  { blocks, weights, bias, group, activation }: SpacedConv,
  crop: BlockAmounts,
): Value | undefined {
  const begins = blocks.begins.map((pad, i) => pad - crop.begins[i]);
  const ends = blocks.ends.map((pad, i) => pad - crop.ends[i]);
  const isSame = blocks.block.join() === crop.block.join() && blocks.block.length === 2;
  if (!isSame || [...begins, ...ends].some((pad) => !(pad >= 0))) return undefined;
  return node.last('Conv', [blocks.x, weights, bias], {
    layout: 'NHWC',
    strides: [1, 1],
    dilations: blocks.block,
    pads: [...begins, ...ends],
    group,
    activation,
  });
}
