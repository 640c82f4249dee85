import type { OpDefinition } from '../facets.ts';

export const poolDefinitions = {} satisfies Record<string, OpDefinition<never>>;
