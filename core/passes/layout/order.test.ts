import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount, int64Tensor, permute, type Tensor, toNumbers } from '../../ir/tensor.ts';
import { permuteInner, withShape } from './constants.ts';
import {
  conversionSteps,
  droppedOrder,
  type Order,
  physicalShape,
  reshapedOrder,
  transposedOrder,
} from './order.ts';

/** A tensor whose elements are their own positions. */
function counting(shape: readonly number[]): Tensor {
  return int64Tensor(
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => i),
  );
}

/** The tensor as it lies in memory in an order. */
function laid(tensor: Tensor, { perm, inner }: Order): Tensor {
  return permute(inner ? permuteInner(tensor, inner.axis, inner) : tensor, perm);
}

const perms: Readonly<Record<number, number[][]>> = {
  2: [
    [0, 1],
    [1, 0],
  ],
  3: [
    [0, 1, 2],
    [0, 2, 1],
    [1, 2, 0],
  ],
  4: [
    [0, 1, 2, 3],
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [2, 0, 3, 1],
  ],
};

const shapeAndOrder = fc
  .array(fc.constantFrom(1, 2, 3, 4), { minLength: 2, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.constantFrom(...perms[shape.length])));

/** Some other shape of as many elements: factors regrouped at random. */
function regrouped(shape: readonly number[], cuts: readonly boolean[]): number[] {
  const result: number[] = [];
  shape.forEach((dim, i) => {
    if (cuts[i] && result.length > 0) result[result.length - 1] *= dim;
    else result.push(...(cuts[i + 4] ? [dim, 1] : [dim]));
  });
  return result;
}

describe('orders', () => {
  it('follow a reshape: what lies in memory is what the order says', () => {
    let followed = 0;
    fc.assert(
      fc.property(
        shapeAndOrder,
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        ([shape, perm], cuts) => {
          const to = regrouped(shape, cuts);
          const order = reshapedOrder(shape, { perm }, to);
          if (!order) return;
          followed++;
          const x = counting(shape);
          expect(toNumbers(laid(withShape(x, to), order))).toEqual(toNumbers(laid(x, { perm })));
          const back = reshapedOrder(to, order, shape);
          if (back) expect(toNumbers(laid(x, back))).toEqual(toNumbers(laid(x, { perm })));
        },
      ),
      { numRuns: 500 },
    );
    expect(followed).toBeGreaterThan(100);
  });

  it('keep a flattened feature map in the order that its features lie in', () => {
    const order = reshapedOrder([1, 3, 2, 2], { perm: [0, 2, 3, 1] }, [1, 12]);
    expect(order).toEqual({ perm: [0, 1], inner: { axis: 1, dims: [3, 2, 2], perm: [1, 2, 0] } });
    expect(reshapedOrder([1, 12], order!, [1, 3, 2, 2])).toEqual({ perm: [0, 2, 3, 1] });
  });

  it('are not followed through axes that are torn apart', () => {
    expect(reshapedOrder([1, 4, 2, 3], { perm: [0, 2, 3, 1] }, [1, 8, 3])).toBeUndefined();
    expect(reshapedOrder([1, 4, 2, 3], { perm: [0, 2, 3, 1] }, [1, 2, 12])).toBeUndefined();
  });

  it('are converted by the steps that are given', () => {
    const orders: Order[] = [
      { perm: [0, 1] },
      { perm: [1, 0] },
      { perm: [0, 1], inner: { axis: 1, dims: [3, 4], perm: [1, 0] } },
      { perm: [0, 1], inner: { axis: 1, dims: [2, 3, 2], perm: [2, 0, 1] } },
    ];
    const shape = [2, 12];
    for (const from of orders) {
      for (const to of orders) {
        let value = laid(counting(shape), from);
        for (const step of conversionSteps(shape, from, to)) {
          value = step.op === 'Reshape' ? withShape(value, step.shape) : permute(value, step.perm);
        }
        expect(value.shape).toEqual(physicalShape(shape, to));
        expect(toNumbers(value)).toEqual(toNumbers(laid(counting(shape), to)));
      }
    }
  });

  it('follow transposes and dropped axes', () => {
    expect(transposedOrder({ perm: [0, 1, 2, 3] }, [0, 3, 1, 2])).toEqual({ perm: [0, 2, 3, 1] });
    expect(droppedOrder({ perm: [0, 2, 3, 1] }, [2])).toEqual({ perm: [0, 2, 1] });
    expect(droppedOrder({ perm: [0, 2, 3, 1] }, [2, 3])).toEqual({ perm: [0, 1] });
  });
});
