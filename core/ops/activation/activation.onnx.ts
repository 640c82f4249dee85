import type { OnnxFacet } from '../facets.ts';

export const activationOnnx = { read: {}, write: {} } satisfies OnnxFacet;
