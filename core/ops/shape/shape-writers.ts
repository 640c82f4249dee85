/** Writes shape operators to ONNX (opset 13 and later: what can be computed is an input). */
import type { Tensor } from '../../ir/tensor.ts';
import type { OnnxAttr } from '../facets.ts';
import { int, ints, type OnnxWriter, plainWriter } from '../onnx-helpers.ts';

/** Optional inputs at the end are left out. */
function trimmed(inputs: readonly (string | null)[]): (string | null)[] {
  let length = inputs.length;
  while (length > 0 && inputs[length - 1] === null) length--;
  return inputs.slice(0, length);
}

function writer(
  opType: string,
  attrs: (node: Parameters<OnnxWriter>[0]) => Record<string, OnnxAttr>,
): OnnxWriter {
  return (node, context) => context.node(opType, trimmed(node.inputs), node.outputs, attrs(node));
}

const writeAxis = (opType: string) => writer(opType, (node) => ({ axis: int(node.attrs.axis as number) }));

const writeReshape: OnnxWriter = (node, context) => {
  const allowZero = node.attrs.allowZero === true;
  if (allowZero && context.opset < 14) {
    const { shape } = context.value(node.outputs[0]).type;
    if (shape.includes(0)) context.refuse('a dimension of size 0 needs opset 14');
  }
  const attrs: Record<string, OnnxAttr> = allowZero && context.opset >= 14 ? { allowzero: int(1) } : {};
  context.node('Reshape', node.inputs, node.outputs, attrs);
};

const writePad: OnnxWriter = (node, context) => {
  const mode = node.attrs.mode as string;
  if (mode === 'wrap' && context.opset < 19) context.refuse('wrapping pads need opset 19');
  context.node('Pad', trimmed(node.inputs), node.outputs, { mode: { string: mode } });
};

const writeShape: OnnxWriter = (node, context) => {
  const { start, end } = node.attrs as { start: number; end?: number };
  const rank = context.value(node.inputs[0]!).type.shape.length;
  const whole = start === 0 && (end === undefined || end >= rank);
  if (!whole && context.opset < 15) context.refuse('a part of a shape needs opset 15');
  context.node(
    'Shape',
    node.inputs,
    node.outputs,
    whole ? {} : { start: int(start), ...(end !== undefined && { end: int(end) }) },
  );
};

export const shapeWriters = {
  Reshape: writeReshape,
  Transpose: writer('Transpose', (node) => ({ perm: ints(node.attrs.perm as number[]) })),
  Squeeze: writer('Squeeze', () => ({})),
  Unsqueeze: writer('Unsqueeze', () => ({})),
  Concat: writeAxis('Concat'),
  Split: writeAxis('Split'),
  Slice: writer('Slice', () => ({})),
  Pad: writePad,
  Gather: writeAxis('Gather'),
  Expand: plainWriter('Expand'),
  Tile: plainWriter('Tile'),
  Shape: writeShape,
  ConstantOfShape: writer('ConstantOfShape', ({ attrs }): Record<string, OnnxAttr> => {
    const value = attrs.value as Tensor | undefined;
    return value ? { value: { tensor: value } } : {};
  }),
  Range: plainWriter('Range'),
} satisfies Record<string, OnnxWriter>;
