import type { GraphBuilder } from '../../ir/builder.ts';
import type { Attrs, Value } from '../../ir/graph.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addActivated,
  addInner,
  addLast,
  inputOf,
  onReals,
  readPads,
  sizeOption,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

function windowOf(op: TfliteOpView, x: Value): Attrs {
  const sizes = staticShapeOf(op, x).slice(1, 3);
  const strides = [sizeOption(op, 'stride_h'), sizeOption(op, 'stride_w')];
  const kernelShape = [sizeOption(op, 'filter_height'), sizeOption(op, 'filter_width')];
  return {
    layout: 'NHWC',
    strides,
    dilations: [1, 1],
    pads: readPads(op, sizes, kernelShape, strides, [1, 1]),
    kernelShape,
    ceilMode: false,
  };
}

/** TFLite's average leaves the padding out. */
function readPool(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const attrs = { ...windowOf(op, x), activation: activationOf(op) };
  if (op.builtin === 'MAX_POOL_2D') addLast(op, builder, 'MaxPool', [x], attrs);
  else addLast(op, builder, 'AveragePool', [x], { ...attrs, countIncludePad: false });
}

/** The root of the mean of squares. */
const readL2Pool = onReals((op, builder) => {
  const x = inputOf(op, 0);
  const squares = addInner(op, builder, 'Mul', [x, x], { activation: 'none' });
  const attrs = { ...windowOf(op, x), activation: 'none', countIncludePad: false };
  addActivated(op, builder, 'Sqrt', [addInner(op, builder, 'AveragePool', [squares], attrs)]);
});

export const poolTfliteReaders = { MAX_POOL_2D: readPool, AVERAGE_POOL_2D: readPool, L2_POOL_2D: readL2Pool };
