import type { OnnxFacet } from '../facets.ts';

export const elementwiseOnnx = { read: {}, write: {} } satisfies OnnxFacet;
