import type { KerasFacet } from '../facets.ts';

export const normKeras = {} satisfies KerasFacet;
