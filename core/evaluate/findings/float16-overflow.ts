import { largestHalf } from '../../kernels/half.ts';
import { type FindingKind, write } from './finding.ts';

/** A result that float16 cannot hold: fine where float16 is only stored, infinity where it is computed in. */
export const float16Overflow: FindingKind = {
  id: 'float16-overflow',
  find: ({ operators, precision }) =>
    precision !== 'float16'
      ? []
      : operators.flatMap(({ activation, name, op }) => {
          if (!activation) return [];
          const largest = Math.max(-activation.min, activation.max);
          if (largest <= largestHalf) return [];
          return [
            {
              severity: 'warning',
              title: 'Too large for float16',
              text: `It reaches ${write(largest)}, and float16 ends at 65504. A CPU widens the weights and computes in float32; a GPU that computes in float16 makes infinity of it.`,
              node: name,
              op,
              weight: 40 + Math.log2(largest / largestHalf),
              trial: {
                text: 'Make int8, whose activations have a scale of their own; or make the GPU compute in float32.',
                recipe: { precision: 'int8' },
              },
            },
          ];
        }),
};
