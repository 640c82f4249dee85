/** Pools that LiteRT's kernels do not have (three axes, dilations), one axis after the other. */
import type { Node } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import { gather } from '../shape/gather-by-axis.ts';
import {
  activationCodes,
  innerLike,
  inputValue,
  int32Vector,
  needFloat,
  numberTensor,
  outputTensor,
  outputValue,
  reshape,
  shapeOf,
} from '../tflite-helpers.ts';
import type { AveragePoolAttrs } from '../vocabulary.ts';

/** Elements that each window covers along one axis: `[out × kernel]` positions, and which of them count. */
interface Cover {
  readonly picked: readonly number[];
  /** What each element is multiplied with before it is added up. */
  readonly shares: readonly number[];
}

function coverOf(attrs: AveragePoolAttrs, axis: number, size: number, count: number, isMax: boolean): Cover {
  const [kernel, stride, dilation] = [attrs.kernelShape[axis], attrs.strides[axis], attrs.dilations[axis]];
  const rank = attrs.kernelShape.length;
  const begin = attrs.pads[axis];
  const end = size + attrs.pads[axis + rank];
  const picked: number[] = [];
  const shares: number[] = [];
  for (let o = 0; o < count; o++) {
    const places = Array.from({ length: kernel }, (_, k) => o * stride - begin + k * dilation);
    const inside = places.filter((place) => place >= 0 && place < size);
    // A window that hangs over the end in ceil mode counts what is padded, but not what lies beyond.
    const counted = attrs.countIncludePad ? places.filter((place) => place < end).length : inside.length;
    for (const place of places) {
      const isInside = place >= 0 && place < size;
      // A maximum does not mind an element twice: what is padded becomes a neighbour of the same window.
      picked.push(isInside ? place : isMax ? inside[0] : 0);
      shares.push(isInside ? 1 / counted : 0);
    }
  }
  return { picked, shares };
}

/**
 * Maxima and averages over windows are separable: each axis in turn is unfolded by GATHER into [out, kernel] and
 * reduced. The share of an element in an average is the product of its shares along the axes.
 */
export function writePoolByAxis(node: Node, context: TfliteWriteContext): void {
  const isMax = node.op === 'MaxPool';
  const attrs = node.attrs as unknown as AveragePoolAttrs;
  if (attrs.layout !== 'NHWC') context.refuse('its channels come first, where TFLite has them last');
  if (!isMax) needFloat(node, context);
  const x = inputValue(node, context, 0);
  const y = outputValue(node, context);
  if (isMax && (x.quant || y.quant)) needFloat(node, context);
  const target = shapeOf(y, context);
  const shape = shapeOf(x, context);
  let source = context.tensor(x.id);
  const inner = (name: string, dims: readonly number[]) => innerLike(context, `${node.id}/${name}`, y, dims);
  attrs.kernelShape.forEach((kernel, axis) => {
    const at = axis + 1;
    const count = target[at];
    const { picked, shares } = coverOf(attrs, axis, shape[at], count, isMax);
    if (picked.length === 0 || picked.some((place) => place === undefined))
      context.refuse('a window of it lies in the padding alone');
    const before = elementCount(shape.slice(0, at));
    const after = elementCount(shape.slice(at + 1));
    const rows = inner(`rows${axis}`, [before, shape[at], after]);
    reshape(context, source, rows, `${node.id}/rows${axis}`, [before, shape[at], after]);
    const unfolded = inner(`unfolded${axis}`, [before, count * kernel, after]);
    gather(context, rows, int32Vector(context, `${node.id}/places${axis}`, picked), unfolded, 1);
    let parts = unfolded;
    if (!isMax) {
      parts = inner(`shares${axis}`, [before, count * kernel, after]);
      const factors = context.constant(
        `${node.id}/factors${axis}`,
        numberTensor('float32', [1, count * kernel, 1], shares),
      );
      context.op('MUL', [unfolded, factors], [parts], { table: 'MulOptions', fields: {} });
    }
    const windows = inner(`windows${axis}`, [before, count, kernel, after]);
    reshape(context, parts, windows, `${node.id}/windows${axis}`, [before, count, kernel, after]);
    const reduced = inner(`reduced${axis}`, [before, count, after]);
    context.op(isMax ? 'REDUCE_MAX' : 'SUM', [windows, int32Vector(context, 'kernel_axis', [2])], [reduced], {
      table: 'ReducerOptions',
      fields: { keep_dims: false },
    });
    shape[at] = count;
    source = reduced;
  });
  finishPool(node, context, source, target);
}

function finishPool(
  node: Node,
  context: TfliteWriteContext,
  source: TfliteTensorRef,
  shape: readonly number[],
): void {
  const activation = (node.attrs as unknown as AveragePoolAttrs).activation ?? 'none';
  if (activation === 'none') {
    reshape(context, source, outputTensor(node, context), node.id, shape);
    return;
  }
  const plain = innerLike(context, `${node.id}/plain`, outputValue(node, context), shape);
  reshape(context, source, plain, node.id, shape);
  const builtin = { 1: 'RELU', 2: 'RELU_N1_TO_1', 3: 'RELU6' }[activationCodes[activation]]!;
  context.op(builtin, [plain], [outputTensor(node, context)]);
}
