import type { TfliteFacet } from '../facets.ts';

export const convTflite = { write: {}, read: {} } satisfies TfliteFacet;
