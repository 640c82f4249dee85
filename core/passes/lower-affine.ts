import type { Node, ValueId } from '../ir/graph.ts';
import { floatTensor } from '../ir/tensor.ts';
import type { BatchNormalizationAttrs, Layout } from '../ops/vocabulary.ts';
import { type AffineChain, affineChain, affineStep, isFinite64 } from './affine.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** The axis that a step has constants for: of a batch normalization, or the last or second one. */
function candidateAxes(editor: GraphEditor, node: Node): number[] {
  const rank = editor.value(node.outputs[0]).type.shape.length;
  if (node.op === 'BatchNormalization') {
    return [((node.attrs as unknown as BatchNormalizationAttrs).axis + rank) % rank];
  }
  return [rank - 1, 1];
}

/** A depthwise convolution of 1×1: one operator, and in integers one rounding, for a scale and an offset. */
function asDepthwise(editor: GraphEditor, chain: AffineChain, x: ValueId, axis: number): void {
  const channels = chain.scale.length;
  const layout: Layout = axis === 1 ? 'NCHW' : 'NHWC';
  const [first] = chain.nodes;
  for (const node of chain.nodes) editor.remove(node);
  editor.add({
    op: 'Conv',
    inputs: [
      x,
      editor.constant(`${first.id}/scale`, floatTensor([channels, 1, 1, 1], chain.scale)),
      editor.constant(`${first.id}/offset`, floatTensor([channels], chain.offset)),
    ],
    attrs: {
      layout,
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      group: channels,
      activation: chain.activation,
    },
    name: first.id,
    outputs: [chain.output],
  });
}

/** Multiplication and addition, for tensors that are no feature maps. */
function asMulAdd(editor: GraphEditor, chain: AffineChain, x: ValueId, axis: number): void {
  const rank = editor.value(x).type.shape.length;
  const shape = [chain.scale.length, ...new Array<number>(rank - axis - 1).fill(1)];
  const [first] = chain.nodes;
  for (const node of chain.nodes) editor.remove(node);
  const scaled = editor.add({
    op: 'Mul',
    inputs: [x, editor.constant(`${first.id}/scale`, floatTensor(shape, chain.scale))],
    attrs: { activation: 'none' },
    name: `${first.id}/scaled`,
  });
  editor.add({
    op: 'Add',
    inputs: [scaled.outputs[0], editor.constant(`${first.id}/offset`, floatTensor(shape, chain.offset))],
    attrs: { activation: chain.activation },
    name: first.id,
    outputs: [chain.output],
  });
}

/** Begins at `node` and goes on as far as each step alone reads the one before. */
function chainFrom(
  editor: GraphEditor,
  node: Node,
  axis: number,
): { chain: AffineChain; x: ValueId } | undefined {
  const step = affineStep(editor, node, axis);
  if (!step) return undefined;
  const rest = (node.attrs.activation ?? 'none') === 'none' && affineChain(editor, node.outputs[0], axis);
  if (!rest) {
    const activation = (node.attrs.activation ?? 'none') as AffineChain['activation'];
    return { chain: { ...step.affine, nodes: [node], output: node.outputs[0], activation }, x: step.input };
  }
  const scale = step.affine.scale.map((value, i) => value * rest.scale[i]);
  const offset = step.affine.offset.map((value, i) => value * rest.scale[i] + rest.offset[i]);
  return { chain: { ...rest, scale, offset, nodes: [node, ...rest.nodes] }, x: step.input };
}

/**
 * What is left of batch normalization, and runs of arithmetic with per-channel constants, becomes one depthwise
 * convolution on feature maps and Mul and Add elsewhere.
 */
export const lowerAffine = editingPass('lower-affine', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    if (!node) continue;
    for (const axis of candidateAxes(editor, node)) {
      const found = chainFrom(editor, node, axis);
      if (!found || !isFinite64(found.chain.scale) || !isFinite64(found.chain.offset)) continue;
      const { chain, x } = found;
      const isNorm = chain.nodes.some((step) => step.op === 'BatchNormalization');
      const both = chain.scale.some((value) => value !== 1) && chain.offset.some((value) => value !== 0);
      if (!isNorm && (chain.nodes.length < 2 || !both)) continue;
      const { shape } = editor.value(x).type;
      const map =
        shape.length === 4 && (axis === 1 || axis === 3) && shape.every((dim) => typeof dim === 'number');
      if (map) asDepthwise(editor, chain, x, axis);
      else if (isNorm) asMulAdd(editor, chain, x, axis);
      else continue;
      changes.made(
        `${chain.nodes.map((step) => step.id).join(', ')} became ${map ? 'a depthwise convolution' : 'Mul and Add'}`,
      );
      break;
    }
  }
});
