import type { KerasFacet } from '../facets.ts';

export const imageKeras = {} satisfies KerasFacet;
