import type { KerasFacet } from '../facets.ts';

export const shapeKeras = {} satisfies KerasFacet;
