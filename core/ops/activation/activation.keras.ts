import type { KerasFacet } from '../facets.ts';

export const activationKeras = {} satisfies KerasFacet;
