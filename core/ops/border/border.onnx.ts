import type { OnnxFacet } from '../facets.ts';

export const borderOnnx = { read: {}, write: {} } satisfies OnnxFacet;
