import type { OnnxFacet } from '../facets.ts';

export const shapeOnnx = { read: {}, write: {} } satisfies OnnxFacet;
