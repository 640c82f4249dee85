import { describe, it } from 'vitest';
import { checkOp, ints, type OpCase, scalar, x } from '../../testing/check-op.ts';

const cases: OpCase[] = [
  { name: 'with -1', op: 'Reshape', inputs: [x(2, 3, 4), ints(2, -1)], attrs: { allowZero: false } },
  { name: 'with 0', op: 'Reshape', inputs: [x(2, 3, 4), ints(0, 12)], attrs: { allowZero: false } },
  { name: '', op: 'Transpose', inputs: [x(2, 3, 4)], attrs: { perm: [2, 0, 1] } },
  { name: '', op: 'Squeeze', inputs: [x(1, 3, 1, 4), ints(0, 2)] },
  { name: '', op: 'Unsqueeze', inputs: [x(3, 4), ints(1)] },
  { name: 'three', op: 'Concat', inputs: [x(1, 2, 3), x(1, 4, 3), x(1, 1, 3)], attrs: { axis: 1 } },
  { name: 'uneven', op: 'Split', inputs: [x(2, 6), ints(1, 5)], attrs: { axis: 1 }, outputs: 2 },
  { name: 'two axes', op: 'Slice', inputs: [x(4, 6), ints(1, 2), ints(3, 5), ints(0, 1), null] },
  { name: 'steps', op: 'Slice', inputs: [x(9), ints(1), ints(8), ints(0), ints(3)] },
  { name: 'backwards', op: 'Slice', inputs: [x(5), ints(-1), ints(-6), ints(0), ints(-1)] },
  {
    name: 'zeros',
    op: 'Pad',
    inputs: [x(1, 3, 4), ints(0, 1, 2, 0, 0, 1), null],
    attrs: { mode: 'constant' },
  },
  {
    name: 'a value',
    op: 'Pad',
    inputs: [x(2, 3), ints(1, 0, 0, 2), scalar(-3)],
    attrs: { mode: 'constant' },
  },
  { name: 'reflected', op: 'Pad', inputs: [x(1, 5), ints(0, 2, 0, 3), null], attrs: { mode: 'reflect' } },
  { name: 'rows', op: 'Gather', inputs: [x(5, 3), ints(4, 0, 2)], attrs: { axis: 0 } },
  { name: 'columns', op: 'Gather', inputs: [x(2, 5, 3), ints(1, 3)], attrs: { axis: 1 } },
  { name: '', op: 'Expand', inputs: [x(1, 3), ints(4, 3)] },
  { name: '', op: 'Tile', inputs: [x(2, 3), ints(2, 1)] },
];

describe('shape operators in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
