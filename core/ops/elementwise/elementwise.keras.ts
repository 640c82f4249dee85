import type { KerasFacet } from '../facets.ts';

export const elementwiseKeras = {} satisfies KerasFacet;
