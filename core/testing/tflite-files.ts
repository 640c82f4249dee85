/** A small net and its .tflite, for tests of the TFLite format. */

import { writeTflite } from '../formats/tflite/writer.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/graph.ts';
import { floatTensor, tensorOf } from '../ir/tensor.ts';
import { mulberry32 } from '../kernels/random.ts';
import { inferTypes } from '../ops/registry.ts';

function wave(shape: readonly number[], seed: number) {
  const next = mulberry32(seed);
  const count = shape.reduce((product, dim) => product * dim, 1);
  return floatTensor(
    shape,
    Array.from({ length: count }, () => 2 * next() - 1),
  );
}

const plainWindow = { layout: 'NHWC', strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };

/** A convolution, a depthwise one that needs a PAD, a pool, a dense head. */
export function smallNet(): Graph {
  const builder = new GraphBuilder('small', inferTypes);
  const x = builder.input('image', { dtype: 'float32', shape: [1, 8, 8, 3] });
  const conv = builder.one(
    'Conv',
    [x, builder.constant('conv/kernel', wave([4, 3, 3, 3], 1)), builder.constant('conv/bias', wave([4], 2))],
    { ...plainWindow, group: 1, activation: 'relu6' },
    { name: 'conv' },
  );
  const depthwise = builder.one(
    'Conv',
    [conv, builder.constant('depthwise/kernel', wave([4, 1, 3, 3], 3)), null],
    { ...plainWindow, strides: [2, 2], group: 4, activation: 'none' },
    { name: 'depthwise' },
  );
  const axes = builder.constant('axes', tensorOf('int64', [2], BigInt64Array.of(1n, 2n)));
  const mean = builder.one('ReduceMean', [depthwise, axes], { keepDims: false }, { name: 'mean' });
  const dense = builder.one(
    'FullyConnected',
    [mean, builder.constant('dense/kernel', wave([2, 4], 4)), builder.constant('dense/bias', wave([2], 5))],
    { activation: 'none' },
    { name: 'dense' },
  );
  builder.add('Softmax', [dense], { axis: -1 }, { name: 'softmax', outputs: ['scores'] });
  return builder.finish(['scores'], { format: 'keras' });
}

export function smallFile(): Uint8Array {
  return writeTflite(smallNet(), { description: 'a small net' }).bytes;
}
