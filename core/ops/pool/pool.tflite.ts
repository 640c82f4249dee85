import type { TfliteFacet } from '../facets.ts';

export const poolTflite = { write: {}, read: {} } satisfies TfliteFacet;
