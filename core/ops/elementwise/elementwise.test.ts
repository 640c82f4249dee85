import { describe, it } from 'vitest';
import { checkOp, type OpCase, weight, x } from '../../testing/check-op.ts';

const none = { activation: 'none' };
const positive = { shape: [2, 3, 4], range: [0.1, 4] as const };

const cases: OpCase[] = [
  ...['Add', 'Sub', 'Mul'].flatMap((op): OpCase[] => [
    { name: 'same shapes', op, inputs: [x(1, 4, 5), x(1, 4, 5)], attrs: none },
    { name: 'row broadcast', op, inputs: [x(2, 4, 5), weight(5)], attrs: none },
    { name: 'column broadcast', op, inputs: [weight(4, 1), x(2, 4, 5)], attrs: none },
    { name: 'fused relu', op, inputs: [x(1, 4, 5), x(1, 4, 5)], attrs: { activation: 'relu' } },
  ]),
  { name: '', op: 'Div', inputs: [x(2, 3, 4), positive], attrs: none },
  { name: 'two', op: 'Max', inputs: [x(2, 3), x(2, 3)] },
  { name: 'two', op: 'Min', inputs: [x(2, 3), x(2, 3)] },
  { name: '', op: 'Pow', inputs: [positive, weight(4)] },
  {
    name: 'with the sign of the divisor',
    op: 'Mod',
    inputs: [{ shape: [8], range: [-3, 3] }, weight(8)],
    attrs: { truncated: false },
  },
  { name: '', op: 'Abs', inputs: [x(2, 3)] },
  { name: '', op: 'Neg', inputs: [x(2, 3)] },
  { name: '', op: 'Exp', inputs: [x(2, 3)] },
  { name: '', op: 'Log', inputs: [positive] },
  { name: '', op: 'Sqrt', inputs: [positive] },
  { name: '', op: 'Reciprocal', inputs: [positive] },
  { name: '', op: 'Floor', inputs: [x(2, 3)] },
  { name: '', op: 'Ceil', inputs: [x(2, 3)] },
  { name: 'half to even', op: 'Round', inputs: [{ shape: [6], values: [-1.5, -0.5, 0.5, 1.5, 2.5, 2.6] }] },
  { name: '', op: 'Sin', inputs: [x(2, 3)] },
  { name: '', op: 'Cos', inputs: [x(2, 3)] },
  {
    name: '',
    op: 'Where',
    inputs: [{ shape: [2, 2], dtype: 'bool', values: [0, 1, 1, 0] }, x(2, 2), x(2, 2)],
  },
];

describe('elementwise operators in LiteRT equal onnxruntime', () => {
  it.each(cases)('$op $name', checkOp);
});
