import type { OnnxFacet } from '../facets.ts';

export const normOnnx = { read: {}, write: {} } satisfies OnnxFacet;
