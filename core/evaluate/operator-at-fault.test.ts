import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import { inferTypes } from '../ops/registry.ts';
import { operatorAtFault } from './operator-at-fault.ts';

/** x → a → b → c, and d of a and c. */
function chain() {
  const builder = new GraphBuilder('chain', inferTypes);
  const x = builder.input('x', { dtype: 'float32', shape: [1, 4] });
  const a = builder.one('Relu', [x], {}, { name: 'a' });
  const b = builder.one('Sqrt', [a], {}, { name: 'b' });
  const c = builder.one('Log', [b], {}, { name: 'c' });
  builder.one('Add', [a, c], { activation: 'none' }, { name: 'd', outputs: ['d'] });
  return builder.finish(['d'], { format: 'onnx' });
}

const measured = (levels: Record<string, number | null>) =>
  Object.entries(levels).map(([name, sqnrDb]) => ({ name, op: name.toUpperCase(), sqnrDb }));

describe('operatorAtFault', () => {
  it.each([
    ['the largest fall', { a: 35, b: 30, c: -5, d: -4 }, { name: 'c', beforeDb: 30, afterDb: -5 }],
    ['a fall over what was not measured', { a: 35, c: 4, d: 3 }, { name: 'c', beforeDb: 35, afterDb: 4 }],
    ['a first operator that is bad itself', { a: 6, b: 5, c: 4, d: 4 }, { name: 'a', afterDb: 6 }],
    [
      'a fall below what is good, not one from very good',
      { a: 90, b: 45, c: 20 },
      { name: 'c', beforeDb: 45 },
    ],
    ['exact operands', { a: null, b: null, c: 3 }, { name: 'c', beforeDb: Infinity }],
  ])('finds %s', (_case, levels, found) => {
    expect(operatorAtFault(chain(), measured(levels))).toMatchObject(found);
  });

  it('finds nothing where nothing is lost', () => {
    expect(operatorAtFault(chain(), measured({ a: 60, b: 55, c: null, d: 50 }))).toBeUndefined();
  });
});
