import type { OpDefinition } from '../facets.ts';

export const reduceDefinitions = {} satisfies Record<string, OpDefinition<never>>;
