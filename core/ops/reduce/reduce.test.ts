import { describe, it } from 'vitest';
import { checkOp, ints, type OpCase, x } from '../../testing/check-op.ts';

const cases: OpCase[] = [
  ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd'].flatMap((op): OpCase[] => [
    { name: 'spatial axes kept', op, inputs: [x(1, 3, 4, 5), ints(2, 3)], attrs: { keepDims: true } },
    { name: 'last axis dropped', op, inputs: [x(2, 3, 4), ints(-1)], attrs: { keepDims: false } },
    { name: 'all axes', op, inputs: [x(2, 3), null], attrs: { keepDims: true } },
  ]),
  { name: 'dropped', op: 'ArgMax', inputs: [x(2, 5)], attrs: { axis: 1, keepDims: false } },
  { name: 'kept', op: 'ArgMin', inputs: [x(2, 5)], attrs: { axis: 1, keepDims: true } },
];

describe('reductions in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
