import { type Graph, producersOf } from '../ir/graph.ts';
import { floatTensor, toNumbers } from '../ir/tensor.ts';
import { editingPass } from './pass.ts';

/**
 * onnxruntime up to 1.30 merges a Pad of zeros into the pads of a MaxPool, where they count as −∞ (its `PadFusion`
 * compares the bytes of the value with 0). A negative zero says the same and is left alone.
 */
export const guardPaddedPools = editingPass('guard-padded-pools', (editor, changes) => {
  for (const node of editor.list()) {
    if (node.op !== 'Pad' || node.attrs.mode !== 'constant') continue;
    if (editor.soleConsumer(node.outputs[0])?.op !== 'MaxPool') continue;
    const [x, amounts, fill = null] = node.inputs;
    if (editor.value(node.outputs[0]).type.dtype !== 'float32') continue;
    if (fill !== null && !editor.constantOf(fill)) continue;
    if (fill !== null && !Object.is(toNumbers(editor.constantOf(fill)!)[0], 0)) continue;
    const zero = editor.constant(`${node.id}/zero`, floatTensor([], [-0]));
    editor.change(node, { inputs: [x, amounts, zero, ...node.inputs.slice(3)] });
    changes.made();
  }
});

/** Whether a graph as it was read has a padding in front of a MaxPool. */
export function hasPaddedMaxPool(graph: Graph): boolean {
  const producers = producersOf(graph);
  const isPadding = (id: string | null) => id !== null && producers.get(id)?.op === 'Pad';
  return graph.nodes.some(({ op, inputs }) => op === 'MaxPool' && isPadding(inputs[0]));
}
