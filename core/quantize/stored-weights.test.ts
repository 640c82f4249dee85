import { expect, it } from 'vitest';
import { storedType } from './stored-weights.ts';

// Tables take 12 bytes a channel, and 160 for widening where weights alone are stored.
it.each([
  ['weights-int8', 1023, 10, undefined],
  ['weights-int8', 1024, 10, 'int8'],
  ['weights-int8', 4096, 1024, undefined],
  ['weights-int4', 1023, 10, undefined],
  ['weights-int4', 1024, 10, 'int4'],
  ['weights-int4', 4096, 1024, 'int4'],
  ['weights-int4', 3072, 1024, undefined],
  ['dynamic-int8', 1023, 10, undefined],
  ['dynamic-int8', 1024, 10, 'int8'],
  ['dynamic-int8', 2048, 512, undefined],
] as const)('%s stores %i weights of %i channels as %s', (precision, elements, channels, type) => {
  expect(storedType(elements, channels, precision)).toBe(type);
});
