import type { TfliteFacet } from '../facets.ts';

export const imageTflite = { write: {}, read: {} } satisfies TfliteFacet;
