import type { OpDefinition } from '../facets.ts';

export const borderDefinitions = {} satisfies Record<string, OpDefinition<never>>;
