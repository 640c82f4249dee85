import type { OpDefinition } from '../facets.ts';
import { generateDefinitions } from './generate.op.ts';
import { indexingDefinitions } from './indexing.op.ts';
import { reshapeDefinitions } from './reshape.op.ts';
import { sliceDefinitions } from './slice.op.ts';

export const shapeDefinitions = {
  ...reshapeDefinitions,
  ...sliceDefinitions,
  ...indexingDefinitions,
  ...generateDefinitions,
} satisfies Record<string, OpDefinition<never>>;
