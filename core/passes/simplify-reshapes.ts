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

/** A reduction whose axes a reshape drops or puts back as 1: it does not keep them, or keeps them, itself. */
function keepsAxesInstead(editor: GraphEditor, node: Node): boolean {
  const [x] = node.inputs as [string];
  const maker = editor.maker(x);
  const axes = maker && editor.constantOf(maker.inputs[1]);
  if (!maker?.op.startsWith('Reduce') || !axes || editor.soleConsumer(x) !== node) return false;
  const keepDims = maker.attrs.keepDims !== true;
  const { shape } = editor.value(maker.inputs[0]!).type;
  const reduced = new Set(toNumbers(axes).map((axis) => (axis + shape.length) % shape.length));
  const left = shape.flatMap((dim, axis) => (reduced.has(axis) ? (keepDims ? [1] : []) : [dim]));
  const wanted = editor.value(node.outputs[0]).type.shape;
  if (left.length !== wanted.length || !left.every((dim, i) => dim === wanted[i])) return false;
  editor.remove(node);
  const renamed = editor.renameOutput(maker, x, node.outputs[0]);
  editor.change(renamed, { attrs: { ...maker.attrs, keepDims } });
  return true;
}

/**
 * Squeeze, Unsqueeze and transposes that move nothing become Reshape; a Reshape of a Reshape reads the first one's
 * input; reductions drop or keep axes as a reshape behind them would. Needs known shapes.
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
    if (node?.op === 'Reshape' && isStatic(editor, node.outputs[0]) && keepsAxesInstead(editor, node))
      changes.made();
  }
});
