import type { Node } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';
import type { FusedActivation } from '../ops/vocabulary.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

function limitOf(editor: GraphEditor, node: Node, index: number, absent: number): number | undefined {
  const id = node.inputs[index];
  if (id === null || id === undefined) return absent;
  const constant = editor.constantOf(id);
  return constant ? toNumbers(constant)[0] : undefined;
}

/** The fusable activation that a node is, if it is one. */
export function asFusedActivation(editor: GraphEditor, node: Node): FusedActivation | undefined {
  if (node.op === 'Relu') return 'relu';
  if (node.op !== 'Clip') return undefined;
  const low = limitOf(editor, node, 1, Number.NEGATIVE_INFINITY);
  const high = limitOf(editor, node, 2, Number.POSITIVE_INFINITY);
  if (low === 0 && high === 6) return 'relu6';
  if (low === -1 && high === 1) return 'relu_n1_to_1';
  return low === 0 && high !== undefined && high >= 3.4028234e38 ? 'relu' : undefined;
}

/** Both in turn, as one activation; undefined when no single one does that. */
function combined(first: FusedActivation, second: FusedActivation): FusedActivation | undefined {
  if (first === 'none' || first === second) return second;
  if (first === 'relu' && second === 'relu6') return 'relu6';
  if (first === 'relu6' && second === 'relu') return 'relu6';
  return undefined;
}

/**
 * Fuses a ReLU-like operator into the operator before it. The result has the activation's name, so that the same
 * tensor is called the same whether or not it was fused.
 */
export const fuseActivations = editingPass('fuse-activations', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    const activation = node && asFusedActivation(editor, node);
    const x = node?.inputs[0];
    if (!node || !activation || !x || editor.value(x).type.dtype !== 'float32') continue;
    const maker = editor.maker(x);
    if (!maker || !('activation' in maker.attrs) || editor.soleConsumer(x) !== node) continue;
    const both = combined(maker.attrs.activation as FusedActivation, activation);
    if (!both) continue;
    editor.remove(node);
    const renamed = editor.renameOutput(maker, x, node.outputs[0]);
    editor.change(renamed, { attrs: { ...renamed.attrs, activation: both } });
    changes.made();
  }
});
