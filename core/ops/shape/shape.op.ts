import type { OpDefinition } from '../facets.ts';

export const shapeDefinitions = {} satisfies Record<string, OpDefinition<never>>;
