import { describe, it } from 'vitest';
import { checkOp, type OpCase, weight, x } from '../../testing/check-op.ts';

const cases: OpCase[] = [
  {
    name: 'rank 2',
    op: 'FullyConnected',
    inputs: [x(1, 8), weight(5, 8), weight(5)],
    attrs: { activation: 'none' },
    builtins: { FULLY_CONNECTED: 1 },
  },
  {
    name: 'rank 3 with relu',
    op: 'FullyConnected',
    inputs: [x(1, 4, 8), weight(5, 8), weight(5)],
    attrs: { activation: 'relu' },
    builtins: { FULLY_CONNECTED: 1 },
  },
  {
    name: 'without bias',
    op: 'FullyConnected',
    inputs: [x(2, 8), weight(5, 8), null],
    attrs: { activation: 'none' },
  },
  {
    name: 'all options',
    op: 'Gemm',
    inputs: [x(8, 2), weight(5, 8), weight(1, 5)],
    attrs: { alpha: 0.5, beta: 2, transA: true, transB: true },
  },
  {
    name: 'two computed operands',
    op: 'Gemm',
    inputs: [x(2, 8), x(8, 3), weight(3)],
    attrs: { alpha: 1, beta: 1, transA: false, transB: false },
  },
  {
    name: 'constant right side',
    op: 'MatMul',
    inputs: [x(1, 8), weight(8, 5)],
    builtins: { FULLY_CONNECTED: 1 },
  },
  { name: 'batched', op: 'MatMul', inputs: [x(2, 3, 4), x(2, 4, 5)] },
  { name: 'broadcast batch', op: 'MatMul', inputs: [x(2, 3, 4, 5), x(3, 5, 2)] },
];

describe('dense operators in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
