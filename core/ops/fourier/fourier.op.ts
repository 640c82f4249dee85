import { elementCount } from '../../ir/tensor.ts';
import type { OpDefinition } from '../facets.ts';
import { requiredInput } from '../infer-helpers.ts';
import type { OpAttrs } from '../vocabulary.ts';

/** Lengths that the fast kernels of the runtimes take. */
export function isPowerOfTwo(length: number): boolean {
  return length >= 2 && Number.isInteger(Math.log2(length));
}

const RFFT: OpDefinition<OpAttrs['RFFT']> = {
  summary:
    'Real and imaginary part of the Fourier transform of the last axis, up to half of its frequencies.',
  infer(context) {
    const { dtype, shape } = requiredInput(context, 0, 'x').type;
    const length = shape.at(-1);
    if (dtype !== 'float32') context.fail(`transforms float32, not ${dtype}`);
    if (typeof length !== 'number' || !isPowerOfTwo(length)) {
      return context.fail(`transforms a power of two of elements, not ${length}`);
    }
    const half = { dtype, shape: [...shape.slice(0, -1), length / 2 + 1] };
    return [half, half];
  },
  cost([x]) {
    const sizes = x!.type.shape.map((dim) => (typeof dim === 'number' ? dim : 1));
    return { macs: elementCount(sizes) * Math.log2(sizes.at(-1)!) };
  },
  layout: { kind: 'fixed' },
  quant: null,
};

export const fourierDefinitions = { RFFT };
