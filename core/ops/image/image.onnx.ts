import type { OnnxFacet } from '../facets.ts';

export const imageOnnx = { read: {}, write: {} } satisfies OnnxFacet;
