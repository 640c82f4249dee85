import type { GraphBuilder } from '../../ir/builder.ts';
import type { TfliteOpView } from '../facets.ts';
import {
  addActivated,
  addInner,
  floatScalar,
  inputOf,
  int64Constant,
  needRealNumbers,
} from '../tflite-read-helpers.ts';

/** x / max(√Σx², 10⁻³) over the last axis: the kernel's guard is 10⁻⁶ on the sum of squares. */
function readL2Normalization(op: TfliteOpView, builder: GraphBuilder): void {
  needRealNumbers(op);
  const x = inputOf(op, 0);
  const squares = addInner(op, builder, 'Mul', [x, x], { activation: 'none' });
  const axes = int64Constant(op, builder, 'axes', [-1]);
  const sum = addInner(op, builder, 'ReduceSum', [squares, axes], { keepDims: true });
  const guard = builder.constant(`${op.name}/guard`, floatScalar(1e-6));
  const size = addInner(op, builder, 'Sqrt', [addInner(op, builder, 'Max', [sum, guard])]);
  addActivated(op, builder, 'Div', [x, size], { activation: 'none' });
}

export const normTfliteReaders = { L2_NORMALIZATION: readL2Normalization };
