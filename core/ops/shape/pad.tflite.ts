import type { Node, Value } from '../../ir/graph.ts';
import type { TfliteTensorRef, TfliteWriteContext } from '../facets.ts';
import {
  attrsOf,
  constantInput,
  innerLike,
  inputValue,
  int32Vector,
  paddingTensor,
  scalarLike,
  shapeOf,
  writeMove,
} from '../tflite-helpers.ts';
import { gatherByAxis } from './gather-by-axis.ts';
import { padIndices } from './pad-indices.ts';

/** PAD, PADV2 and MIRROR_PAD; what they cannot do picks its elements by GATHER. */
export function writePad(node: Node, context: TfliteWriteContext): void {
  const { mode } = attrsOf(node, 'Pad');
  const x = inputValue(node, context, 0);
  const shape = shapeOf(x, context);
  const pads = constantInput(node, context, 1)!;
  const rows = shape.map((_, axis): [number, number] => [pads[axis], pads[axis + shape.length]]);
  if (mode === 'constant') padConstant(node, context, rows);
  else if (
    mode === 'reflect' &&
    rows.every((row, axis) => row.every((pad) => pad >= 0 && pad < shape[axis]))
  ) {
    const paddings = paddingTensor(context, `${node.id}/paddings`, rows);
    const options = { table: 'MirrorPadOptions', fields: { mode: 0 } };
    writeMove(node, context, (from, to) => context.op('MIRROR_PAD', [from, paddings], [to], options));
  } else {
    writeMove(node, context, (from, to) => {
      const maps = rows.map(([before, after], axis) => padIndices(mode, shape[axis], before, after));
      gatherByAxis(node, context, x, from, to, maps);
    });
  }
}

/** PAD fills with the real number 0, PADV2 with a constant; what the amounts crop is cut off first. */
function padConstant(node: Node, context: TfliteWriteContext, rows: readonly [number, number][]): void {
  const x = inputValue(node, context, 0);
  const shape = shapeOf(x, context);
  if (shape.length > 5) context.refuse(`TFLite pads up to rank 5, not ${shape.length}`);
  const fill = padFill(node, context, x);
  writeMove(node, context, (from, to) => {
    let source = from;
    if (rows.some((row) => row.some((pad) => pad < 0))) {
      const begin = rows.map(([before]) => Math.max(0, -before));
      const size = rows.map(
        ([before, after], axis) => shape[axis] + Math.min(0, before) + Math.min(0, after),
      );
      const isLast = rows.every((row) => row.every((pad) => pad <= 0));
      source = isLast ? to : innerLike(context, `${node.id}/cropped`, x, size);
      const vectors = [
        int32Vector(context, `${node.id}/begin`, begin),
        int32Vector(context, `${node.id}/size`, size),
      ];
      context.op('SLICE', [from, ...vectors], [source]);
      if (isLast) return;
    }
    const amounts = rows.map(([before, after]): [number, number] => [
      Math.max(0, before),
      Math.max(0, after),
    ]);
    const paddings = paddingTensor(context, `${node.id}/paddings`, amounts);
    if (fill) context.op('PADV2', [source, paddings, fill], [to]);
    else context.op('PAD', [source, paddings], [to]);
  });
}

/** What to fill with; undefined for the real number 0. */
function padFill(node: Node, context: TfliteWriteContext, x: Value): TfliteTensorRef | undefined {
  const value = constantInput(node, context, 2)?.[0];
  if (value === undefined) return undefined;
  const { quant } = inputValue(node, context, 2);
  const real = quant ? (value - quant.zeroPoints[0]) * quant.scales[0] : value;
  return real === 0 ? undefined : scalarLike(x, context, `${node.id}/fill`, real);
}
