import type { KerasFacet } from '../facets.ts';

export const poolKeras = {} satisfies KerasFacet;
