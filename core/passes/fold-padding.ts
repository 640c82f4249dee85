import type { Node } from '../ir/graph.ts';
import { toNumbers } from '../ir/tensor.ts';
import { spatialAxes } from '../ops/spatial.ts';
import type { ConvAttrs, MaxPoolAttrs } from '../ops/vocabulary.ts';
import type { GraphEditor } from './graph-editor.ts';
import { editingPass } from './pass.ts';

/** Operators that only pick, move or average elements: their results are not negative when their inputs are not. */
const keepsSign = new Set([
  'MaxPool',
  'AveragePool',
  'Reshape',
  'Transpose',
  'Concat',
  'Slice',
  'Identity',
  'ReduceMean',
]);

function isNotNegative(editor: GraphEditor, id: string, depth = 8): boolean {
  const maker = editor.maker(id);
  if (!maker || depth === 0) return false;
  if (maker.attrs.activation === 'relu' || maker.attrs.activation === 'relu6') return true;
  if (['Relu', 'Sigmoid', 'HardSigmoid', 'Softmax'].includes(maker.op)) return true;
  if (maker.op === 'Clip') {
    const low = editor.constantOf(maker.inputs[1]);
    return low !== undefined && toNumbers(low)[0] >= 0;
  }
  return (
    keepsSign.has(maker.op) &&
    maker.inputs.every((input) => {
      if (input === null || editor.value(input).type.dtype !== 'float32') return true;
      return isNotNegative(editor, input, depth - 1);
    })
  );
}

/** Per spatial axis begins, then ends, of a Pad that pads nothing else. */
function spatialPads(editor: GraphEditor, pad: Node, layout: ConvAttrs['layout']): number[] | undefined {
  const amounts = editor.constantOf(pad.inputs[1]);
  if (pad.attrs.mode !== 'constant' || !amounts) return undefined;
  const pads = toNumbers(amounts);
  const rank = pads.length / 2;
  const axes = spatialAxes(layout, rank);
  const elsewhere = pads.some((amount, i) => amount !== 0 && !axes.includes(i % rank));
  if (elsewhere || pads.some((amount) => amount < 0)) return undefined;
  return [...axes.map((axis) => pads[axis]), ...axes.map((axis) => pads[axis + rank])];
}

function fillValue(editor: GraphEditor, pad: Node): number | undefined {
  const id = pad.inputs[2];
  if (id === null || id === undefined) return 0;
  const constant = editor.constantOf(id);
  return constant ? toNumbers(constant)[0] : undefined;
}

/**
 * A max pool's own padding counts as −∞. Zeros do the same when no element is negative and every window holds at
 * least one element, which is so while no pad reaches a window's length.
 */
function poolTakes(
  editor: GraphEditor,
  pad: Node,
  pool: MaxPoolAttrs,
  pads: readonly number[],
  fill: number,
): boolean {
  if (fill === Number.NEGATIVE_INFINITY) return true;
  const axes = pool.kernelShape.length;
  return (
    fill === 0 &&
    pads.every((amount, i) => amount + pool.pads[i] < pool.kernelShape[i % axes]) &&
    pool.dilations.every((dilation) => dilation === 1) &&
    isNotNegative(editor, pad.inputs[0]!)
  );
}

/** Moves padding with zeros into the convolution (or, where that is exact, the max pool) that follows. */
export const foldPadding = editingPass('fold-padding', (editor, changes) => {
  for (const listed of editor.list()) {
    const pad = editor.current(listed.id);
    if (pad?.op !== 'Pad') continue;
    const next = editor.soleConsumer(pad.outputs[0]);
    if (!next || (next.op !== 'Conv' && next.op !== 'MaxPool') || next.inputs[0] !== pad.outputs[0]) continue;
    const attrs = next.attrs as unknown as ConvAttrs | MaxPoolAttrs;
    const pads = spatialPads(editor, pad, attrs.layout);
    const fill = fillValue(editor, pad);
    if (!pads || fill === undefined) continue;
    const exact =
      'kernelShape' in attrs ? !attrs.ceilMode && poolTakes(editor, pad, attrs, pads, fill) : fill === 0;
    if (!exact) {
      changes.skipped(
        `${pad.id} stays before ${next.id}: it fills with ${fill}, which the operator's own pads do not`,
      );
      continue;
    }
    editor.change(next, {
      inputs: [pad.inputs[0], ...next.inputs.slice(1)],
      attrs: { ...next.attrs, pads: attrs.pads.map((own, i) => own + pads[i]) },
    });
    editor.remove(pad);
    changes.made();
  }
});
