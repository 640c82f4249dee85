import type { OnnxFacet } from '../facets.ts';

export const reduceOnnx = { read: {}, write: {} } satisfies OnnxFacet;
