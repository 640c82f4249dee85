import type { Node, ValueId } from '../ir/graph.ts';
import { int64Tensor, toNumbers } from '../ir/tensor.ts';
import { frontAxis } from '../ops/infer-helpers.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** A shape of numbers only; undefined for one with an open dimension. */
function sizesOf(editor: GraphEditor, id: ValueId): readonly number[] | undefined {
  const { shape } = editor.value(id).type;
  return shape.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
}

/** Whether elements along an axis lie one after the other, with nothing before that axis. */
function isOutermost(shape: readonly number[], axis: number): boolean {
  return shape.slice(0, axis).every((size) => size === 1);
}

function reshaped(editor: GraphEditor, x: ValueId, shape: readonly number[], name: string): ValueId {
  const target = editor.constant(`${name}/shape`, int64Tensor([shape.length], shape));
  return editor.add({ op: 'Reshape', inputs: [x, target], attrs: { allowZero: shape.includes(0) }, name })
    .outputs[0];
}

/** Whether a node is a reshape that only drops or adds axes of size 1: what else it did, layouts could not follow. */
function dropsUnits(editor: GraphEditor, node: Node | undefined): node is Node {
  if (node?.op !== 'Reshape') return false;
  const [before, after] = [node.inputs[0]!, node.outputs[0]].map((id) => sizesOf(editor, id));
  const longer = (shape: readonly number[] | undefined) => shape?.filter((size) => size !== 1).join();
  return before !== undefined && longer(before) === longer(after);
}

/** The shape that all reshapes of a list read or give, when it is the same and has an axis. */
function commonShape(editor: GraphEditor, reshapes: readonly (Node | undefined)[], of: 'inputs' | 'outputs') {
  const shapes = reshapes.map((node) =>
    dropsUnits(editor, node) ? sizesOf(editor, node[of][0]!) : undefined,
  );
  const [first] = shapes;
  return first && first.length > 0 && shapes.every((shape) => shape?.join() === first.join())
    ? first
    : undefined;
}

/** Parts that are all reshaped alike are cut from what is reshaped as a whole. */
function reshapeBefore(editor: GraphEditor, node: Node): boolean {
  const x = sizesOf(editor, node.inputs[0]!);
  const reshapes = node.outputs.map((id) => editor.soleConsumer(id));
  const shape = commonShape(editor, reshapes, 'outputs');
  const parts = editor.constantOf(node.inputs[1]);
  if (!x || !shape || !parts || reshapes.length < 2) return false;
  if (!isOutermost(x, frontAxis(node.attrs.axis as number, x.length)) || new Set(toNumbers(parts)).size !== 1)
    return false;
  const whole = [shape[0] * reshapes.length, ...shape.slice(1)];
  const from = reshaped(editor, node.inputs[0]!, whole, `${node.id}/whole`);
  const sizes = editor.constant(
    `${node.id}/rows`,
    int64Tensor(
      [reshapes.length],
      reshapes.map(() => shape[0]),
    ),
  );
  for (const reshape of reshapes) editor.remove(reshape!);
  editor.remove(node);
  const outputs = reshapes.map((reshape) => reshape!.outputs[0]);
  editor.add({ op: 'Split', inputs: [from, sizes], attrs: { axis: 0 }, name: node.id, outputs });
  return true;
}

/** Parts that were all reshaped alike are put together first. */
function reshapeBehind(editor: GraphEditor, node: Node): boolean {
  const y = sizesOf(editor, node.outputs[0]);
  const reshapes = node.inputs.map((id) => editor.maker(id));
  const shape = commonShape(editor, reshapes, 'inputs');
  if (!y || !shape || reshapes.length < 2 || !isOutermost(y, frontAxis(node.attrs.axis as number, y.length)))
    return false;
  if (!commonShape(editor, reshapes, 'outputs')) return false;
  if (!reshapes.every((reshape) => editor.soleConsumer(reshape!.outputs[0]) === node)) return false;
  const [output] = node.outputs;
  const inputs = reshapes.map((reshape) => reshape!.inputs[0]);
  editor.remove(node);
  const joined = editor.add({ op: 'Concat', inputs, attrs: { axis: 0 }, name: `${node.id}/rows` }).outputs[0];
  const target = editor.constant(`${node.id}/shape`, int64Tensor([y.length], y));
  const attrs = { allowZero: y.includes(0) };
  editor.add({ op: 'Reshape', inputs: [joined, target], attrs, name: node.id, outputs: [output] });
  return true;
}

/**
 * One Reshape for many: in front of a Split whose parts are all reshaped, behind a Concat whose parts all were, as the
 * steps of unrolled loops are. Only where the axis is the outermost of more than one element, so that nothing moves.
 */
export const joinReshapes = editingPass('join-reshapes', (editor, changes) => {
  for (const { id } of editor.list()) {
    const node = editor.current(id);
    const isJoined =
      (node?.op === 'Split' && reshapeBefore(editor, node)) ||
      (node?.op === 'Concat' && reshapeBehind(editor, node));
    if (isJoined) changes.made();
  }
});
