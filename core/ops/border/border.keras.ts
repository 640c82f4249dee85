import type { KerasFacet } from '../facets.ts';

export const borderKeras = {} satisfies KerasFacet;
