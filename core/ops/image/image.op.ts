import type { OpDefinition } from '../facets.ts';

export const imageDefinitions = {} satisfies Record<string, OpDefinition<never>>;
