import type { Node } from '../ir/graph.ts';
import { elementCount, floatTensor, toFloat32 } from '../ir/tensor.ts';
import { channelAxis } from '../ops/spatial.ts';
import type { ConvAttrs, Layout } from '../ops/vocabulary.ts';
import { type AffineChain, affineChain, isFinite64, scaledRuns } from './affine.ts';
import type { GraphEditor } from './graph-editor.ts';
import { type Changes, editingPass } from './pass.ts';

/** Axis of the output's channels, for operators with constant float weights and a free activation. */
function foldableAxis(editor: GraphEditor, node: Node): number | undefined {
  if (!['Conv', 'ConvTranspose', 'FullyConnected'].includes(node.op)) return undefined;
  if (node.attrs.activation !== 'none') return undefined;
  const bias = editor.input(node, 2);
  if (editor.constantOf(node.inputs[1])?.dtype !== 'float32') return undefined;
  if (bias && bias.constant?.dtype !== 'float32') return undefined;
  const rank = editor.value(node.outputs[0]).type.shape.length;
  return node.op === 'FullyConnected' ? rank - 1 : channelAxis(node.attrs.layout as Layout, rank);
}

function foldInto(editor: GraphEditor, node: Node, chain: AffineChain): void {
  const weights = editor.constantOf(node.inputs[1])!;
  const bias = editor.constantOf(node.inputs[2]);
  const { scale, offset } = chain;
  let runLength = elementCount(weights.shape.slice(1));
  let factorOf = (run: number) => scale[run];
  if (node.op === 'ConvTranspose') {
    // [C, M/group, …kernel]: input channel c belongs to group c / (C / group), which makes M/group outputs.
    const perGroup = weights.shape[1];
    const inputsPerGroup = weights.shape[0] / (node.attrs as unknown as ConvAttrs).group;
    runLength = elementCount(weights.shape.slice(2));
    factorOf = (run) => {
      const group = Math.floor(Math.floor(run / perGroup) / inputsPerGroup);
      return scale[group * perGroup + (run % perGroup)];
    };
  }
  const before = bias ? toFloat32(bias) : new Float32Array(scale.length);
  const folded = Float64Array.from(before, (value, i) => value * scale[i] + offset[i]);
  const unscaled = scale.every((value) => value === 1);
  const weightsId = unscaled
    ? node.inputs[1]
    : editor.constant(`${node.inputs[1]}/scaled`, scaledRuns(weights, runLength, factorOf));
  const biasId = editor.constant(`${node.id}/bias`, floatTensor([scale.length], folded));
  for (const step of chain.nodes) editor.remove(step);
  const renamed = editor.renameOutput(node, node.outputs[0], chain.output);
  editor.change(renamed, {
    inputs: [node.inputs[0], weightsId, biasId],
    attrs: { ...node.attrs, activation: chain.activation },
  });
}

function namesOf(chain: AffineChain): string {
  return chain.nodes.map((node) => node.id).join(', ');
}

/**
 * Folds batch normalization and per-channel arithmetic with constants into the weights and the bias of the
 * convolution or dense layer before it. Computed in float64 and rounded to float32 once.
 */
export const foldAffineBack = editingPass('fold-affine-back', (editor, changes: Changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    const axis = node && foldableAxis(editor, node);
    if (!node || axis === undefined) continue;
    const chain = affineChain(editor, node.outputs[0], axis);
    if (
      !chain ||
      editor.value(chain.output).type.shape.length !== editor.value(node.outputs[0]).type.shape.length
    ) {
      continue;
    }
    if (!isFinite64(chain.scale) || !isFinite64(chain.offset)) {
      changes.skipped(`${namesOf(chain)} stays: its constants leave the range of float32`);
      continue;
    }
    foldInto(editor, node, chain);
    changes.made(`${namesOf(chain)} folded into ${node.id}`);
  }
});
