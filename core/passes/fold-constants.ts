import { byteLength } from '../ir/dtype.ts';
import type { Node, TensorType, Value } from '../ir/graph.ts';
import { elementCount, int64Tensor, type Tensor } from '../ir/tensor.ts';
import type { OpDefinition } from '../ops/facets.ts';
import { isFoldable } from '../ops/fold-helpers.ts';
import { definitionOf } from '../ops/registry.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** A folded constant may be this large, or as large as what it was made from. */
const growthLimitBytes = 64 * 1024;

/** Operators that move elements without computing; they fold for every element type. */
const movers = new Set(['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Identity']);

function staticBytes(type: TensorType): number {
  if (type.shape.some((dim) => typeof dim === 'string')) return Number.POSITIVE_INFINITY;
  return byteLength(type.dtype, elementCount(type.shape as number[]));
}

function canFold(
  definition: OpDefinition,
  node: Node,
  inputs: readonly (Value | null)[],
  outputs: readonly Value[],
) {
  if (!definition.fold || node.outputs.length !== outputs.length) return false;
  if (!movers.has(node.op)) {
    const computed = node.op === 'Cast' ? outputs : [...outputs, ...inputs.filter((input) => input !== null)];
    if (!computed.every((value) => isFoldable(value.type.dtype))) return false;
  }
  const read = inputs.reduce((sum, input) => sum + (input ? staticBytes(input.type) : 0), 0);
  const made = outputs.reduce((sum, output) => sum + staticBytes(output.type), 0);
  return made <= Math.max(growthLimitBytes, read);
}

/** Shape needs only the type of its input. */
function knownShape(editor: GraphEditor, node: Node): Tensor | undefined {
  const x = editor.input(node, 0);
  const output = editor.value(node.outputs[0]);
  if (!x?.type.shape.every((dim) => typeof dim === 'number')) return undefined;
  const fold = definitionOf('Shape')!.fold!;
  const stand = { dtype: x.type.dtype, shape: x.type.shape as number[], bytes: new Uint8Array(0) };
  return x.constant ? undefined : (fold([stand], node.attrs, [output.type])[0] ?? int64Tensor([0], []));
}

/**
 * Computes what is known before the model runs: shape arithmetic, prepared weights. Results larger than what they
 * came from are made only when small, so that an Expand does not fill the file.
 */
export const foldConstants = editingPass('fold-constants', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id)!;
    const definition = definitionOf(node.op);
    if (!definition) continue;
    let results: Tensor[] | undefined;
    const shape = node.op === 'Shape' ? knownShape(editor, node) : undefined;
    if (shape) {
      results = [shape];
    } else {
      const inputs = node.inputs.map((id) => (id === null ? null : editor.value(id)));
      if (!inputs.every((input) => input === null || input.constant)) continue;
      const outputs = node.outputs.map((id) => editor.value(id));
      if (!canFold(definition, node, inputs, outputs)) continue;
      results = definition.fold!(
        inputs.map((input) => input?.constant ?? null),
        node.attrs,
        outputs.map((output) => output.type),
      );
    }
    editor.remove(node);
    for (const [i, id] of node.outputs.entries()) editor.becomeConstant(id, results[i]);
    editor.refresh(node.outputs);
    changes.made();
  }
});
