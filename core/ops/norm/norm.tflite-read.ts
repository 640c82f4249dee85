import { floatTensor } from '../../ir/tensor.ts';
import {
  addActivated,
  addInner,
  addLast,
  floatScalar,
  inputOf,
  int64Constant,
  numberOption,
  onReals,
  staticShapeOf,
} from '../tflite-read-helpers.ts';

/** x / max(√Σx², 10⁻³) over the last axis: the kernel's guard is 10⁻⁶ on the sum of squares. */
const readL2Normalization = onReals((op, builder) => {
  const x = inputOf(op, 0);
  const squares = addInner(op, builder, 'Mul', [x, x], { activation: 'none' });
  const axes = int64Constant(op, builder, 'axes', [-1]);
  const sum = addInner(op, builder, 'ReduceSum', [squares, axes], { keepDims: true });
  const guard = builder.constant(`${op.name}/guard`, floatScalar(1e-6));
  const size = addInner(op, builder, 'Sqrt', [addInner(op, builder, 'Max', [sum, guard])]);
  addActivated(op, builder, 'Div', [x, size], { activation: 'none' });
});

/** x / (bias + α Σx²)^β, where the sum goes over the channels within `radius`: a product with a banded matrix. */
const readLocalResponse = onReals((op, builder) => {
  const x = inputOf(op, 0);
  const channels = staticShapeOf(op, x)[3];
  const radius = numberOption(op, 'radius');
  const alpha = numberOption(op, 'alpha');
  const band = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= radius ? alpha : 0,
  );
  const weights = builder.constant(`${op.name}/band`, floatTensor([channels, channels, 1, 1], band));
  const bias = new Float32Array(channels).fill(numberOption(op, 'bias'));
  const offset = builder.constant(`${op.name}/bias`, floatTensor([channels], bias));
  const squares = addInner(op, builder, 'Mul', [x, x], { activation: 'none' });
  const sum = addInner(op, builder, 'Conv', [squares, weights, offset], {
    layout: 'NHWC',
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    group: 1,
    activation: 'none',
  });
  const beta = builder.constant(`${op.name}/beta`, floatScalar(numberOption(op, 'beta')));
  addLast(op, builder, 'Div', [x, addInner(op, builder, 'Pow', [sum, beta])], { activation: 'none' });
});

export const normTfliteReaders = {
  L2_NORMALIZATION: readL2Normalization,
  LOCAL_RESPONSE_NORMALIZATION: readLocalResponse,
};
