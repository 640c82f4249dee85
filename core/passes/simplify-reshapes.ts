import type { Node } from '../ir/graph.ts';
import { int64Tensor, toNumbers } from '../ir/tensor.ts';
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

/** A reduction that keeps its axes only for a reshape to drop them: it drops them itself. */
function dropsKeptAxes(editor: GraphEditor, node: Node): boolean {
  const [x] = node.inputs as [string];
  const maker = editor.maker(x);
  if (!maker?.op.startsWith('Reduce') || maker.attrs.keepDims !== true || editor.soleConsumer(x) !== node)
    return false;
  const axes = editor.constantOf(maker.inputs[1]);
  const { shape } = editor.value(x).type;
  if (!axes) return false;
  const reduced = new Set(toNumbers(axes).map((axis) => (axis + shape.length) % shape.length));
  const left = shape.filter((_, axis) => !reduced.has(axis));
  const wanted = editor.value(node.outputs[0]).type.shape;
  if (left.length !== wanted.length || !left.every((dim, i) => dim === wanted[i])) return false;
  editor.remove(node);
  const renamed = editor.renameOutput(maker, x, node.outputs[0]);
  editor.change(renamed, { attrs: { ...maker.attrs, keepDims: false } });
  return true;
}

/**
 * Squeeze, Unsqueeze and transposes that move nothing become Reshape; a Reshape of a Reshape reads the first one's
 * input; reductions drop axes that a reshape would. Needs known shapes.
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
  for (const { id } of editor.list()) {
    const node = editor.current(id);
    if (node?.op === 'Reshape' && isStatic(editor, node.outputs[0]) && dropsKeptAxes(editor, node))
      changes.made();
  }
});
