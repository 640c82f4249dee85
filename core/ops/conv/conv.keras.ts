import type { KerasFacet } from '../facets.ts';

export const convKeras = {} satisfies KerasFacet;
