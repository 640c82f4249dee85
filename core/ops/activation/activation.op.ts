import type { OpDefinition } from '../facets.ts';

export const activationDefinitions = {} satisfies Record<string, OpDefinition<never>>;
