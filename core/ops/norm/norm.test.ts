import { describe, it } from 'vitest';
import { checkOp, type OpCase, weight, x } from '../../testing/check-op.ts';

const variance = { shape: [3], range: [0.5, 2] as const, constant: true };

const cases: OpCase[] = [
  {
    name: 'channels first',
    op: 'BatchNormalization',
    inputs: [x(1, 3, 4, 4), weight(3), weight(3), weight(3), variance],
    attrs: { epsilon: 1e-3, axis: 1 },
  },
  {
    name: 'vector',
    op: 'BatchNormalization',
    inputs: [x(2, 3), weight(3), weight(3), weight(3), variance],
    attrs: { epsilon: 1e-3, axis: 1 },
  },
  {
    name: 'last axis',
    op: 'LayerNormalization',
    inputs: [x(2, 3, 8), weight(8), weight(8)],
    attrs: { epsilon: 1e-5, axis: -1 },
  },
];

describe('normalization in LiteRT equals onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
