/** Running sums, and the best elements in order. */
import { elementCount, int64Tensor, toNumbers } from '../../ir/tensor.ts';
import type { OpDefinition } from '../facets.ts';
import { elementsOf, type Scalar, tensorFrom } from '../fold-helpers.ts';
import { constantNumbers, derivedDim, normalizeAxis, requiredInput } from '../infer-helpers.ts';
import { indices } from '../pick-elements.ts';
import type { OpAttrs } from '../vocabulary.ts';

const CumSum: OpDefinition<OpAttrs['CumSum']> = {
  summary: 'Sum of all elements up to each one, along an axis.',
  infer(context) {
    const x = requiredInput(context, 0, 'x');
    const axis = constantNumbers(requiredInput(context, 1, 'axis'));
    if (axis) normalizeAxis(context, axis[0], x.type.shape.length);
    return [x.type];
  },
  fold([x, axisTensor], attrs) {
    const shape = x!.shape;
    const given = toNumbers(axisTensor!)[0];
    const axis = given < 0 ? given + shape.length : given;
    const [size, inner] = [shape[axis], elementCount(shape.slice(axis + 1))];
    const source = elementsOf(x!);
    const out = new Array<Scalar>(source.length);
    for (let line = 0; line < source.length / size; line++) {
      const base = Math.floor(line / inner) * size * inner + (line % inner);
      let sum = 0;
      for (const k of attrs.reverse ? indices(size).reverse() : indices(size)) {
        const value = Number(source[base + k * inner]);
        out[base + k * inner] = attrs.exclusive ? sum : sum + value;
        sum += value;
      }
    }
    return [tensorFrom(x!.dtype, shape, out)];
  },
  layout: { kind: 'axes' },
  quant: null,
};

const TopK: OpDefinition<OpAttrs['TopK']> = {
  summary: 'The k largest (or smallest) elements along an axis, in order, with their indices.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const axis = normalizeAxis(context, context.attrs.axis, shape.length);
    const k = constantNumbers(requiredInput(context, 1, 'k'))?.[0];
    const size = shape[axis];
    if (k !== undefined && typeof size === 'number' && k > size) {
      context.fail(`asks for ${k} of ${size} elements`);
    }
    const kept = shape.map((dim, i) => (i === axis ? (k ?? derivedDim(context.node, axis)) : dim));
    return [
      { dtype, shape: kept },
      { dtype: 'int64', shape: kept },
    ];
  },
  fold([x], attrs, [type]) {
    const shape = x!.shape;
    const axis = attrs.axis < 0 ? attrs.axis + shape.length : attrs.axis;
    const [size, inner] = [shape[axis], elementCount(shape.slice(axis + 1))];
    const kept = type.shape as number[];
    const source = elementsOf(x!);
    const values = new Array<Scalar>(elementCount(kept));
    const order = new Array<number>(values.length);
    for (let line = 0; line < source.length / size; line++) {
      const outer = Math.floor(line / inner);
      const at = (k: number, length: number) => outer * length * inner + (line % inner) + k * inner;
      const ranked = indices(size).sort((a, b) => {
        const [p, q] = [source[at(a, size)], source[at(b, size)]];
        if (p === q) return a - b;
        return p > q === attrs.largest ? -1 : 1;
      });
      for (let k = 0; k < kept[axis]; k++) {
        values[at(k, kept[axis])] = source[at(ranked[k], size)];
        order[at(k, kept[axis])] = ranked[k];
      }
    }
    return [tensorFrom(x!.dtype, kept, values), int64Tensor(kept, order)];
  },
  layout: { kind: 'axes' },
  quant: null,
};

export const orderDefinitions = { CumSum, TopK };
