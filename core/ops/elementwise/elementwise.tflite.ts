import type { TfliteFacet } from '../facets.ts';

export const elementwiseTflite = { write: {}, read: {} } satisfies TfliteFacet;
