import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  activationOf,
  addLast,
  inputOf,
  readPads,
  sizeOption,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

/** TFLite's average leaves the padding out. */
function readPool(op: TfliteOpView, builder: GraphBuilder): void {
  const x = inputOf(op, 0);
  const sizes = staticShapeOf(op, x).slice(1, 3);
  const strides = [sizeOption(op, 'stride_h'), sizeOption(op, 'stride_w')];
  const kernelShape = [sizeOption(op, 'filter_height'), sizeOption(op, 'filter_width')];
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
