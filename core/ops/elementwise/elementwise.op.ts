import type { OpDefinition } from '../facets.ts';

export const elementwiseDefinitions = {} satisfies Record<string, OpDefinition<never>>;
