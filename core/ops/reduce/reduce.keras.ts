import type { KerasFacet } from '../facets.ts';

export const reduceKeras = {} satisfies KerasFacet;
