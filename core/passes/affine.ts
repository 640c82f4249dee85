/** y = x × scale + offset per channel: what batch normalization and arithmetic with constants do. */
import type { Node, ValueId } from '../ir/graph.ts';
import { type Tensor, tensorOf, toFloat32 } from '../ir/tensor.ts';
import type { BatchNormalizationAttrs, FusedActivation } from '../ops/vocabulary.ts';
import type { GraphEditor } from './graph-editor.ts';

/** In float64; both have one entry per channel of axis `axis` of x. */
export interface Affine {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

/**
 * The elements of a constant as one per channel, when it broadcasts to a tensor of `rank` axes, of which `axis` has
 * `channels` entries, without differing along any other axis.
 */
export function perChannel(
  tensor: Tensor,
  rank: number,
  axis: number,
  channels: number,
): Float64Array | undefined {
  if (tensor.dtype !== 'float32' || tensor.shape.length > rank) return undefined;
  const lead = rank - tensor.shape.length;
  const wide = tensor.shape.every((dim, i) => dim === 1 || (i + lead === axis && dim === channels));
  if (!wide) return undefined;
  const values = toFloat32(tensor);
  return values.length === 1 ? new Float64Array(channels).fill(values[0]) : Float64Array.from(values);
}

function identity(channels: number): Affine {
  return { scale: new Float64Array(channels).fill(1), offset: new Float64Array(channels) };
}

/** first, then second. */
export function composed(first: Affine, second: Affine): Affine {
  return {
    scale: first.scale.map((value, i) => value * second.scale[i]),
    offset: first.offset.map((value, i) => value * second.scale[i] + second.offset[i]),
  };
}

/** x / sqrt(variance + epsilon) and so on, in float64 (ONNX BatchNormalization, inference form). */
function ofBatchNormalization(editor: GraphEditor, node: Node, channels: number): Affine | undefined {
  const constants = node.inputs.slice(1, 5).map((id) => editor.constantOf(id));
  if (!constants.every((tensor) => tensor?.dtype === 'float32')) return undefined;
  const [gamma, beta, mean, variance] = constants.map((tensor) => toFloat32(tensor!));
  if (gamma.length !== channels) return undefined;
  const { epsilon } = node.attrs as unknown as BatchNormalizationAttrs;
  const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + epsilon));
  return { scale, offset: Float64Array.from(beta, (value, i) => value - mean[i] * scale[i]) };
}

function ofArithmetic(node: Node, constant: Float64Array, side: number): Affine | undefined {
  const { scale, offset } = identity(constant.length);
  switch (node.op) {
    case 'Add':
      return { scale, offset: constant };
    case 'Sub':
      if (side === 1) return { scale, offset: constant.map((value) => -value) };
      return { scale: scale.map(() => -1), offset: constant };
    case 'Mul':
      return { scale: constant, offset };
    case 'Div':
      return side === 1 ? { scale: constant.map((value) => 1 / value), offset } : undefined;
    default:
      return undefined;
  }
}

export interface AffineStep {
  readonly node: Node;
  readonly input: ValueId;
  readonly affine: Affine;
}

/** The node as an affine step over `axis` of its input, or undefined when it is something else. */
export function affineStep(editor: GraphEditor, node: Node, axis: number): AffineStep | undefined {
  const output = editor.value(node.outputs[0]).type;
  const channels = output.shape[axis];
  if (typeof channels !== 'number' || output.dtype !== 'float32') return undefined;
  if (node.op === 'BatchNormalization') {
    const at = (node.attrs as unknown as BatchNormalizationAttrs).axis;
    const rank = output.shape.length;
    const affine = (at + rank) % rank === axis ? ofBatchNormalization(editor, node, channels) : undefined;
    return affine && { node, input: node.inputs[0]!, affine };
  }
  if (!['Add', 'Sub', 'Mul', 'Div'].includes(node.op)) return undefined;
  for (const side of [1, 0]) {
    const constant = editor.constantOf(node.inputs[side]);
    const x = editor.input(node, 1 - side);
    if (!constant || !x || x.constant) continue;
    if (x.type.shape.length !== output.shape.length) return undefined;
    if (!x.type.shape.every((dim, i) => dim === output.shape[i])) return undefined;
    const values = perChannel(constant, output.shape.length, axis, channels);
    const affine = values && ofArithmetic(node, values, side);
    return affine && { node, input: x.id, affine };
  }
  return undefined;
}

export interface AffineChain extends Affine {
  /** Nodes of the chain, in order. */
  readonly nodes: readonly Node[];
  readonly output: ValueId;
  readonly activation: FusedActivation;
}

/**
 * The longest run of affine steps that begins with the readers of `from`, each reading only the one before. It ends
 * with a step that has a fused activation.
 */
export function affineChain(editor: GraphEditor, from: ValueId, axis: number): AffineChain | undefined {
  const nodes: Node[] = [];
  let total: Affine | undefined;
  let value = from;
  let activation: FusedActivation = 'none';
  while (activation === 'none') {
    const node = editor.soleConsumer(value);
    const step = node && affineStep(editor, node, axis);
    if (!step || step.input !== value) break;
    total = total ? composed(total, step.affine) : step.affine;
    nodes.push(step.node);
    value = step.node.outputs[0];
    activation = (step.node.attrs.activation as FusedActivation | undefined) ?? 'none';
  }
  return total && { ...total, nodes, output: value, activation };
}

/** Multiplies a float32 tensor, run by run of `length` elements, by one factor each; in float64, rounded once. */
export function scaledRuns(tensor: Tensor, length: number, factorOf: (run: number) => number): Tensor {
  const values = toFloat32(tensor);
  // A permuted tensor comes as a copy of its own already.
  const out = values.buffer === tensor.bytes.buffer ? new Float32Array(values.length) : values;
  for (let at = 0, run = 0; at < out.length; run++) {
    const factor = factorOf(run);
    for (const end = at + length; at < end; at++) out[at] = values[at] * factor;
  }
  return tensorOf('float32', tensor.shape, out);
}

export function isFinite64(values: Float64Array): boolean {
  return values.every((value) => Number.isFinite(value) && Math.abs(value) <= 3.4e38);
}
