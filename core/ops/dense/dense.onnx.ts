import type { OnnxFacet } from '../facets.ts';

export const denseOnnx = { read: {}, write: {} } satisfies OnnxFacet;
