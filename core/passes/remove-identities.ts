import type { Node } from '../ir/graph.ts';
import { elementCount, toNumbers } from '../ir/tensor.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** Larger constants are never all zeros or ones on purpose; looking would cost more than the operator does. */
const largestLookedAt = 65536;

function numbersOf(editor: GraphEditor, node: Node, index: number): number[] | undefined {
  const tensor = editor.constantOf(node.inputs[index]);
  if (!tensor || tensor.dtype === 'string' || elementCount(tensor.shape) > largestLookedAt) return undefined;
  return toNumbers(tensor);
}

/** The other operand of an arithmetic operator whose constant operand is all `neutral`. */
function neutralOperand(
  editor: GraphEditor,
  node: Node,
  neutral: number,
  sides: readonly number[],
): number | undefined {
  if ((node.attrs.activation ?? 'none') !== 'none') return undefined;
  return [0, 1].find((kept) => {
    const other = 1 - kept;
    return sides.includes(other) && numbersOf(editor, node, other)?.every((value) => value === neutral);
  });
}

/** Operators that may do nothing, and the input that they then pass on. They must keep its shape, too. */
const passedOn: Readonly<Record<string, (editor: GraphEditor, node: Node) => number | undefined>> = {
  Identity: () => 0,
  Cast: () => 0,
  Reshape: () => 0,
  Expand: () => 0,
  Squeeze: () => 0,
  Unsqueeze: () => 0,
  Transpose: (_, node) => ((node.attrs.perm as number[]).every((axis, i) => axis === i) ? 0 : undefined),
  Tile: (editor, node) => (numbersOf(editor, node, 1)?.every((count) => count === 1) ? 0 : undefined),
  Pad: (editor, node) => (numbersOf(editor, node, 1)?.every((amount) => amount === 0) ? 0 : undefined),
  Slice: (editor, node) =>
    numbersOf(editor, node, 1) && (numbersOf(editor, node, 4) ?? []).every((step) => step === 1)
      ? 0
      : undefined,
  Concat: (_, node) => (node.inputs.length === 1 ? 0 : undefined),
  Clip: (_, node) => (node.inputs.slice(1).every((limit) => limit === null) ? 0 : undefined),
  Add: (editor, node) => neutralOperand(editor, node, 0, [0, 1]),
  Sub: (editor, node) => neutralOperand(editor, node, 0, [1]),
  Mul: (editor, node) => neutralOperand(editor, node, 1, [0, 1]),
  Div: (editor, node) => neutralOperand(editor, node, 1, [1]),
  Max: (editor, node) => neutralOperand(editor, node, Number.NEGATIVE_INFINITY, [0, 1]),
  Min: (editor, node) => neutralOperand(editor, node, Number.POSITIVE_INFINITY, [0, 1]),
};

function sameType(editor: GraphEditor, a: string, b: string): boolean {
  const x = editor.value(a).type;
  const y = editor.value(b).type;
  return (
    x.dtype === y.dtype &&
    x.shape.length === y.shape.length &&
    // An open dimension equals itself only by name; a computed one has a name of its own.
    x.shape.every((dim, i) => dim === y.shape[i])
  );
}

/** Takes out operators that give back their input: equal in type, shape and every element. */
export const removeIdentities = editingPass('remove-identities', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id);
    const kept = node && passedOn[node.op]?.(editor, node);
    const input = kept === undefined ? undefined : node?.inputs[kept];
    if (!node || input === undefined || input === null || !sameType(editor, input, node.outputs[0])) continue;
    if (editor.bypass(node, input)) changes.made();
    else changes.skipped(`${node.id} stays: it gives the output ${node.outputs[0]} its name`);
  }
});
