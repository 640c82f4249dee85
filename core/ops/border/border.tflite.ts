import type { TfliteFacet } from '../facets.ts';

export const borderTflite = { write: {}, read: {} } satisfies TfliteFacet;
