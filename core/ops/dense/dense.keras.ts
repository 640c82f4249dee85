import type { KerasFacet } from '../facets.ts';

export const denseKeras = {} satisfies KerasFacet;
