import type { Node } from '../ir/graph.ts';
import { int64Tensor } from '../ir/tensor.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

function isStatic(editor: GraphEditor, id: string): boolean {
  return editor.value(id).type.shape.every((dim) => typeof dim === 'number');
}

/** A transpose that moves only axes of size 1 past others leaves the elements where they are. */
function movesNothing(editor: GraphEditor, node: Node): boolean {
  const shape = editor.value(node.inputs[0]!).type.shape;
  const moved = (node.attrs.perm as number[]).filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || moved[i - 1] < axis);
}

/**
 * Squeeze, Unsqueeze and transposes that move nothing become Reshape; a Reshape of a Reshape reads the first one's
 * input. Needs known shapes.
 */
export const simplifyReshapes = editingPass('simplify-reshapes', (editor, changes) => {
  for (const listed of editor.list()) {
    let node = editor.current(listed.id)!;
    const x = node.inputs[0];
    if (!x || !isStatic(editor, x) || !isStatic(editor, node.outputs[0])) continue;
    const isReshape = node.op === 'Reshape';
    const becomes =
      node.op === 'Squeeze' ||
      node.op === 'Unsqueeze' ||
      (node.op === 'Transpose' && movesNothing(editor, node));
    const before = editor.maker(x);
    const merged = before?.op === 'Reshape' ? before.inputs[0]! : x;
    if (!becomes && (!isReshape || merged === x)) continue;
    const shape = editor.value(node.outputs[0]).type.shape as number[];
    const target = editor.constant(`${node.id}/shape`, int64Tensor([shape.length], shape));
    node = editor.change(node, {
      op: 'Reshape',
      inputs: [merged, target],
      attrs: { allowZero: shape.includes(0) },
    });
    changes.made();
  }
});
