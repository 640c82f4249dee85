import type { TfliteFacet } from '../facets.ts';

export const normTflite = { write: {}, read: {} } satisfies TfliteFacet;
