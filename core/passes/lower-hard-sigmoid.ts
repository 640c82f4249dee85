import { floatTensor } from '../ir/tensor.ts';
import { editingPass } from './pass.ts';

/**
 * HardSigmoid right after a convolution or dense layer becomes relu6(6αx + 6β) / 6: the scale and the offset are then
 * folded into the weights and the limit is fused, so that one multiplication is left, and all of it has integer
 * kernels.
 */
export const lowerHardSigmoid = editingPass('lower-hard-sigmoid', (editor, changes) => {
  for (const listed of editor.list()) {
    const node = editor.current(listed.id)!;
    if (node.op !== 'HardSigmoid') continue;
    const [x] = node.inputs as [string];
    const maker = editor.maker(x);
    const takes =
      maker && 'group' in maker.attrs ? maker.attrs.activation === 'none' : maker?.op === 'FullyConnected';
    if (!maker || !takes || editor.soleConsumer(x) !== node || editor.value(x).type.dtype !== 'float32')
      continue;
    const { alpha, beta } = node.attrs as { alpha: number; beta: number };
    const number = (name: string, value: number) =>
      editor.constant(`${node.id}/${name}`, floatTensor([], [value]));
    const arithmetic = (op: string, from: string, name: string, value: number) =>
      editor.add({
        op,
        inputs: [from, number(`${name}-by`, value)],
        attrs: { activation: 'none' },
        name: `${node.id}/${name}`,
      }).outputs[0];
    editor.remove(node);
    const shifted = arithmetic('Add', arithmetic('Mul', x, 'scaled', 6 * alpha), 'shifted', 6 * beta);
    const limited = editor.add({
      op: 'Clip',
      inputs: [shifted, number('min', 0), number('max', 6)],
      name: `${node.id}/limited`,
    });
    editor.add({
      op: 'Mul',
      inputs: [limited.outputs[0], number('sixth', 1 / 6)],
      attrs: { activation: 'none' },
      name: node.id,
      outputs: node.outputs,
    });
    changes.made();
  }
});
