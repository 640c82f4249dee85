import type { OpDefinition } from '../facets.ts';

export const convDefinitions = {} satisfies Record<string, OpDefinition<never>>;
