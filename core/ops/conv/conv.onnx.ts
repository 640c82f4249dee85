import type { OnnxFacet } from '../facets.ts';

export const convOnnx = { read: {}, write: {} } satisfies OnnxFacet;
