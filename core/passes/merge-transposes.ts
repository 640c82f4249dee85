import { editingPass } from './pass.ts';

/** A transpose of a transpose reads the first one's input. */
export const mergeTransposes = editingPass('merge-transposes', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id)!;
    const before = node.op === 'Transpose' ? editor.maker(node.inputs[0]) : undefined;
    if (before?.op !== 'Transpose') continue;
    const first = before.attrs.perm as number[];
    const perm = (node.attrs.perm as number[]).map((axis) => first[axis]);
    editor.change(node, { inputs: [before.inputs[0]], attrs: { perm } });
    changes.made();
  }
});
