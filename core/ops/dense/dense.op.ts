import type { OpDefinition } from '../facets.ts';

export const denseDefinitions = {} satisfies Record<string, OpDefinition<never>>;
