import type { OpDefinition } from '../facets.ts';

export const normDefinitions = {} satisfies Record<string, OpDefinition<never>>;
