import { int64Tensor } from '../ir/tensor.ts';
import { spatialAxes } from '../ops/spatial.ts';
import type { AveragePoolAttrs } from '../ops/vocabulary.ts';
import { editingPass } from './pass.ts';

/**
 * An average pool whose one window is the whole map is a mean over space. As such it has integer kernels in XNNPACK, a
 * range of its own, and needs no reshape before a dense layer.
 */
export const globalPools = editingPass('global-pools', (editor, changes) => {
  for (const node of editor.list()) {
    if (node.op !== 'AveragePool' || node.attrs.activation !== 'none') continue;
    const { layout, kernelShape, pads, dilations } = node.attrs as unknown as AveragePoolAttrs;
    const { shape } = editor.value(node.inputs[0]!).type;
    const axes = spatialAxes(layout, shape.length);
    const isWhole = axes.every((axis, i) => shape[axis] === kernelShape[i] && dilations[i] === 1);
    if (!isWhole || pads.some((pad) => pad !== 0)) continue;
    const over = editor.constant(`${node.id}/axes`, int64Tensor([axes.length], axes));
    editor.change(node, { op: 'ReduceMean', inputs: [node.inputs[0], over], attrs: { keepDims: true } });
    changes.made();
  }
});
