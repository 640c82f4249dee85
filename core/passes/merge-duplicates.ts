import { byteLength } from '../ir/dtype.ts';
import type { Node } from '../ir/graph.ts';
import { isOpaque } from '../ir/opaque.ts';
import { contiguous, elementCount } from '../ir/tensor.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** Constants up to this many bytes are compared by content; larger ones by being one and the same. */
const comparedBytes = 1024;

/** The same text for inputs that hold the same. */
function inputKey(editor: GraphEditor, id: string | null): string {
  const constant = editor.constantOf(id);
  if (id === null || !constant || constant.dtype === 'string') return `${id}`;
  const { dtype, shape } = constant;
  if (byteLength(dtype, elementCount(shape)) > comparedBytes) return id;
  return `=${dtype}[${shape}]${Buffer.from(contiguous(constant).bytes).toString('base64')}`;
}

/** JSON has no word for these. */
function plainNumber(_: string, value: unknown): unknown {
  return typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `${value}/${1 / value}`
    : value;
}

function keyOf(editor: GraphEditor, node: Node): string {
  const attrs = Object.entries(node.attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([node.op, node.inputs.map((id) => inputKey(editor, id)), attrs], plainNumber);
}

/**
 * Operators that compute the same from the same become one; of unknown ones nobody knows whether they do. Nodes come in order,
 * so chains of them go at once.
 */
export const mergeDuplicates = editingPass('merge-duplicates', (editor, changes) => {
  const known = new Map<string, Node>();
  for (const { id } of editor.list()) {
    const node = editor.current(id)!;
    if (isOpaque(node.op)) continue;
    const key = keyOf(editor, node);
    const first = known.get(key);
    if (!first) {
      known.set(key, node);
    } else if (!node.outputs.some((output) => editor.isOutput(output))) {
      editor.remove(node);
      for (const [i, output] of node.outputs.entries()) editor.redirect(output, first.outputs[i]);
      changes.made();
    }
  }
});
