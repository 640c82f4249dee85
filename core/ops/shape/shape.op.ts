import type { OpDefinition } from '../facets.ts';
import { generateDefinitions } from './generate.op.ts';
import { reshapeDefinitions } from './reshape.op.ts';
import { sliceDefinitions } from './slice.op.ts';

export const shapeDefinitions = {
  ...reshapeDefinitions,
  ...sliceDefinitions,
  ...generateDefinitions,
} satisfies Record<string, OpDefinition<never>>;
