import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { permute, type Tensor } from '../../ir/tensor.ts';
import { explicitPads, reshapeTo, shapeOf, spatialSizes, weightConstant } from '../keras-layers.ts';
import type { CellSource } from './keras-cell.ts';

/** Convolutions of ConvLSTM: of all steps' inputs at once (time goes into the batch), and of the state. */
export function convProducts({ options, weights, name }: CellSource, builder: GraphBuilder) {
  const filters = options.int('filters');
  const size = options.config.kernel_size;
  const rank = Array.isArray(size) ? size.length : 2;
  const kernelShape = options.ints('kernel_size', rank);
  const ones = new Array<number>(rank).fill(1);
  const strides = options.ints('strides', rank, ones);
  const dilations = options.ints('dilation_rate', rank, ones);
  if (options.config.data_format === 'channels_first')
    options.refuse('data_format channels_first is not read');
  const bias = options.boolean('use_bias', true) ? weights.weight('bias', [4 * filters]) : undefined;
  const order = [rank + 1, rank, ...ones.map((_, i) => i)];
  const convolve = (
    x: Value,
    kernel: Tensor,
    weightName: string,
    window: { strides: readonly number[]; dilations: readonly number[] },
    padding: string,
    at: string,
    biasTensor?: Tensor,
  ) => {
    const pads = explicitPads(options, padding, spatialSizes(shapeOf(options, x), 'NHWC'), {
      kernel: kernelShape,
      ...window,
    });
    const inputs = [
      x,
      weightConstant(builder, weightName, permute(kernel, order)),
      biasTensor ? weightConstant(builder, weightName.replace('kernel', 'bias'), biasTensor) : null,
    ];
    return builder.one(
      'Conv',
      inputs,
      { layout: 'NHWC', ...window, pads, group: 1, activation: 'none' },
      { name: at },
    );
  };
  return {
    project(x: Value): Value {
      const shape = shapeOf(options, x);
      const channels = shape.at(-1)!;
      const flat = reshapeTo(builder, x, [shape[0] * shape[1], ...shape.slice(2)], `${name}/steps`);
      const kernel = weights.weight('kernel', [...kernelShape, channels, 4 * filters]);
      const y = convolve(
        flat,
        kernel,
        `${name}/kernel`,
        { strides, dilations },
        options.string('padding', 'valid'),
        `${name}/convolved`,
        bias,
      );
      return reshapeTo(
        builder,
        y,
        [shape[0], shape[1], ...shapeOf(options, y).slice(1)],
        `${name}/projected`,
      );
    },
    recur(h: Value, at: string): Value {
      const kernel = weights.weight('recurrent_kernel', [...kernelShape, filters, 4 * filters]);
      return convolve(h, kernel, `${name}/recurrent_kernel`, { strides: ones, dilations: ones }, 'same', at);
    },
  };
}
