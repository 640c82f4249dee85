import type { Node, ValueId } from '../ir/graph.ts';
import { elementCount, floatTensor, toNumbers } from '../ir/tensor.ts';
import { channelAxis } from '../ops/spatial.ts';
import type { AveragePoolAttrs, Layout } from '../ops/vocabulary.ts';
import { type Affine, type AffineStep, affineStep } from './affine.ts';
import type { GraphEditor } from './graph-editor.ts';
import { type Changes, editingPass } from './pass.ts';

/**
 * The axis of x that keeps its channels apart, when `op(scale × x + offset) = scale × op(x) + offset` holds for
 * per-channel constants: means of whole windows, and maxima of what is not turned around.
 */
function commutingAxis(editor: GraphEditor, node: Node): number | undefined {
  const rank = editor.value(node.inputs[0]!).type.shape.length;
  if ((node.attrs.activation ?? 'none') !== 'none') return undefined;
  if (node.op === 'MaxPool') return channelAxis(node.attrs.layout as Layout, rank);
  if (node.op === 'AveragePool') {
    const attrs = node.attrs as unknown as AveragePoolAttrs;
    const zerosCount = attrs.countIncludePad && attrs.pads.some((pad) => pad !== 0);
    return zerosCount ? undefined : channelAxis(attrs.layout, rank);
  }
  if (node.op !== 'ReduceMean' && node.op !== 'ReduceMax') return undefined;
  const axes = editor.constantOf(node.inputs[1]);
  if (!axes) return undefined;
  const reduced = new Set(toNumbers(axes).map((axis) => (axis + rank) % rank));
  const kept = [rank - 1, 1].filter((axis) => axis > 0 && !reduced.has(axis));
  return kept.length > 0 && reduced.size === rank - 2 ? kept[0] : undefined;
}

function isMaximum(node: Node): boolean {
  return node.op === 'MaxPool' || node.op === 'ReduceMax';
}

/** Puts the step, whose constants now have this shape, behind the node that reads it; the result keeps its name. */
function exchange(
  editor: GraphEditor,
  step: AffineStep,
  node: Node,
  affine: Affine,
  shape: readonly number[],
): void {
  const [output] = node.outputs;
  editor.remove(step.node);
  editor.remove(node);
  const moved = editor.add({
    op: node.op,
    inputs: [step.input, ...node.inputs.slice(1)],
    attrs: node.attrs,
    name: node.id,
    outputs: [editor.freeName(`${output}/unscaled`)],
  });
  let from = moved.outputs[0];
  const arithmetic = (op: string, name: string, values: Float64Array, isLast: boolean) => {
    const constant = editor.constant(`${step.node.id}/${name}`, floatTensor(shape, values));
    const inputs = [from, constant];
    const outputs = isLast ? [output] : undefined;
    [from] = editor.add({
      op,
      inputs,
      attrs: { activation: 'none' },
      name: `${step.node.id}/${name}d`,
      outputs,
    }).outputs;
  };
  const shifts = affine.offset.some((value) => value !== 0);
  if (!shifts || affine.scale.some((value) => value !== 1)) arithmetic('Mul', 'scale', affine.scale, !shifts);
  if (shifts) arithmetic('Add', 'offset', affine.offset, true);
}

/** Behind a pooling: one constant per channel, wherever the channels are then. */
function sinkThroughPooling(editor: GraphEditor, node: Node, axis: number, changes: Changes): boolean {
  const maker = editor.maker(node.inputs[0]);
  const step = maker && affineStep(editor, maker, axis);
  if (!step) return false;
  if (isMaximum(node) && !step.affine.scale.every((scale) => scale > 0)) {
    changes.skipped(
      `${maker.id} stays before ${node.id}: a scale that is not positive changes which element is largest`,
    );
    return false;
  }
  const rank = editor.value(node.outputs[0]).type.shape.length;
  const lost = editor.value(step.input).type.shape.length - rank;
  // Dropped axes of space stand before the channels when these are last, behind them when they are first.
  const at = axis === 1 ? 1 : axis - lost;
  exchange(editor, step, node, step.affine, [
    step.affine.scale.length,
    ...new Array<number>(rank - at - 1).fill(1),
  ]);
  changes.made();
  return true;
}

/** The dense layer that alone reads the flattened features, behind what was moved there already. */
function denseAfter(editor: GraphEditor, node: Node): Node | undefined {
  let reader = editor.soleConsumer(node.outputs[0]);
  while (reader && affineStep(editor, reader, 1)) reader = editor.soleConsumer(reader.outputs[0]);
  return reader;
}

/** Behind a flattening that a dense layer reads: one constant per feature, which the next pass folds into weights. */
function sinkThroughFlatten(editor: GraphEditor, node: Node, changes: Changes): boolean {
  const dense = denseAfter(editor, node);
  const [, weights, bias] = dense?.inputs ?? [];
  const maker = editor.maker(node.inputs[0]);
  const from = editor.value(node.inputs[0]!).type.shape as number[];
  const to = editor.value(node.outputs[0]).type.shape;
  const flattens =
    to.length === 2 && from.length > 2 && to[0] === from[0] && to[1] === elementCount(from.slice(1));
  if (dense?.op !== 'FullyConnected' || !maker || !flattens) return false;
  const isFloat = (id: ValueId | null | undefined) => editor.constantOf(id)?.dtype === 'float32';
  if (!isFloat(weights) || (bias && !isFloat(bias))) return false;
  for (const axis of [from.length - 1, 1]) {
    const step = affineStep(editor, maker, axis);
    if (!step) continue;
    const run = elementCount(from.slice(axis + 1));
    const perFeature = (values: Float64Array) =>
      Float64Array.from({ length: to[1] as number }, (_, i) => values[Math.floor(i / run) % values.length]);
    const affine = { scale: perFeature(step.affine.scale), offset: perFeature(step.affine.offset) };
    exchange(editor, step, node, affine, [to[1] as number]);
    changes.made();
    return true;
  }
  return false;
}

/**
 * Moves what is left of batch normalization, and other per-channel arithmetic, behind the pooling that reads it: there
 * it is smaller, and nearer to weights that it can be folded into.
 */
export const sinkAffine = editingPass('sink-affine', (editor, changes) => {
  // One step at a time; the node keeps its name and may have another step before it.
  const sinkOne = (id: string): boolean => {
    const node = editor.current(id);
    const x = node?.inputs[0];
    if (!node || !x || editor.soleConsumer(x) !== node) return false;
    if ((editor.maker(x)?.attrs.activation ?? 'none') !== 'none') return false;
    const axis = commutingAxis(editor, node);
    if (axis !== undefined) return sinkThroughPooling(editor, node, axis, changes);
    return node.op === 'Reshape' && sinkThroughFlatten(editor, node, changes);
  };
  for (const { id } of editor.list()) while (sinkOne(id));
});
