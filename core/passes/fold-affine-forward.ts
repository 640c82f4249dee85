import type { Node, ValueId } from '../ir/graph.ts';
import { elementCount, floatTensor, toFloat32 } from '../ir/tensor.ts';
import { channelAxis } from '../ops/spatial.ts';
import type { ConvAttrs } from '../ops/vocabulary.ts';
import { type Affine, affineStep, composed, isFinite64, scaledRuns } from './affine.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** Axis of x that the weights of this operator contract over. */
function inputAxis(editor: GraphEditor, node: Node): number | undefined {
  if (node.op !== 'Conv' && node.op !== 'FullyConnected') return undefined;
  const bias = editor.input(node, 2);
  if (editor.constantOf(node.inputs[1])?.dtype !== 'float32') return undefined;
  if (bias && bias.constant?.dtype !== 'float32') return undefined;
  const rank = editor.value(node.inputs[0]!).type.shape.length;
  return node.op === 'FullyConnected'
    ? rank - 1
    : channelAxis((node.attrs as unknown as ConvAttrs).layout, rank);
}

/** The affine steps that lead to `value` alone, composed; nearest last. Stops where a step is not exact to move. */
function chainBefore(editor: GraphEditor, value: ValueId, axis: number, padded: boolean) {
  const nodes: Node[] = [];
  let total: Affine | undefined;
  let at = value;
  for (;;) {
    const maker = editor.maker(at);
    if (!maker || !editor.soleConsumer(at)) break;
    const step = affineStep(editor, maker, axis);
    if (!step || (maker.attrs.activation ?? 'none') !== 'none') break;
    const next = total ? composed(step.affine, total) : step.affine;
    // A padded convolution reads zeros beside x; an offset would have to be added to them as well.
    if (padded && next.offset.some((offset) => offset !== 0)) break;
    if (!isFinite64(next.scale) || !isFinite64(next.offset)) break;
    total = next;
    nodes.push(maker);
    at = step.input;
  }
  return total && { affine: total, nodes, from: at };
}

function foldInto(editor: GraphEditor, node: Node, affine: Affine, from: ValueId): void {
  const weights = editor.constantOf(node.inputs[1])!;
  const bias = editor.constantOf(node.inputs[2]);
  const outputs = weights.shape[0];
  const perGroup = weights.shape[1];
  const kernel = elementCount(weights.shape.slice(2));
  const group = node.op === 'Conv' ? (node.attrs as unknown as ConvAttrs).group : 1;
  const channelOf = (run: number) => {
    const output = Math.floor(run / perGroup);
    return Math.floor(output / (outputs / group)) * perGroup + (run % perGroup);
  };
  const values = toFloat32(weights);
  const sums = bias ? Float64Array.from(toFloat32(bias)) : new Float64Array(outputs);
  for (let run = 0, at = 0; run < outputs * perGroup; run++) {
    let sum = 0;
    for (const end = at + kernel; at < end; at++) sum += values[at];
    sums[Math.floor(run / perGroup)] += sum * affine.offset[channelOf(run)];
  }
  const scaled = scaledRuns(weights, kernel, (run) => affine.scale[channelOf(run)]);
  editor.change(node, {
    inputs: [
      from,
      editor.constant(`${node.inputs[1]}/scaled`, scaled),
      editor.constant(`${node.id}/bias`, floatTensor([outputs], sums)),
    ],
  });
}

/**
 * Folds batch normalization and per-channel arithmetic with constants into the convolution or dense layer that
 * follows: scales always, offsets only where no padding is involved. What stays is exact and becomes other operators.
 */
export const foldAffineForward = editingPass('fold-affine-forward', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    const axis = node && inputAxis(editor, node);
    if (!node || axis === undefined) continue;
    const padded = node.op === 'Conv' && (node.attrs as unknown as ConvAttrs).pads.some((pad) => pad !== 0);
    const chain = chainBefore(editor, node.inputs[0]!, axis, padded);
    if (!chain) continue;
    foldInto(editor, node, chain.affine, chain.from);
    for (const step of chain.nodes) editor.remove(step);
    changes.made(`${chain.nodes.map((step) => step.id).join(', ')} folded into ${node.id}`);
  }
});
