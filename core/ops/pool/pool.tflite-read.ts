import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addLast,
  inputOf,
  numberOption,
  readPads,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

/** TFLite's average leaves the padding out. */
function readPool(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const sizes = staticShapeOf(op, x).slice(1, 3);
  const strides = [numberOption(op, 'stride_h'), numberOption(op, 'stride_w')];
  const kernelShape = [numberOption(op, 'filter_height'), numberOption(op, 'filter_width')];
  const isMax = op.builtin === 'MAX_POOL_2D';
  addLast(op, builder, isMax ? 'MaxPool' : 'AveragePool', [x], {
    layout: 'NHWC',
    strides,
    dilations: [1, 1],
    pads: readPads(op, sizes, kernelShape, strides, [1, 1]),
    kernelShape,
    ceilMode: false,
    activation: activationOf(op),
    ...(isMax ? {} : { countIncludePad: false }),
  });
}

export const poolTfliteReaders = { MAX_POOL_2D: readPool, AVERAGE_POOL_2D: readPool };
