import { editingPass } from './pass.ts';

/**
 * TFLite's SOFTMAX and LOG_SOFTMAX run along the last axis: along another one the input is transposed and the result
 * transposed back. The layout plan takes both out again where the channels are last in memory anyway.
 */
export const softmaxLast = editingPass('softmax-last', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id)!;
    if (node.op !== 'Softmax' && node.op !== 'LogSoftmax') continue;
    const [x] = node.inputs as [string];
    const [y] = node.outputs;
    const rank = editor.value(x).type.shape.length;
    const axis = ((node.attrs.axis as number) + rank) % rank;
    if (axis === rank - 1) continue;
    const perm = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
    perm.push(axis);
    const back = perm.map((_, i) => perm.indexOf(i));
    editor.remove(node);
    const before = editor.add({ op: 'Transpose', inputs: [x], attrs: { perm }, name: `${x}/axis-last` });
    const made = editor.add({
      op: node.op,
      inputs: before.outputs,
      attrs: { axis: rank - 1 },
      name: node.id,
      outputs: [editor.freeName(`${y}/axis-last`)],
    });
    editor.add({
      op: 'Transpose',
      inputs: made.outputs,
      attrs: { perm: back },
      name: `${node.id}/back`,
      outputs: [y],
    });
    changes.made();
  }
});
