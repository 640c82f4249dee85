import type { OnnxFacet } from '../facets.ts';

export const poolOnnx = { read: {}, write: {} } satisfies OnnxFacet;
