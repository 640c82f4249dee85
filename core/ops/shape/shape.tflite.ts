import type { TfliteFacet } from '../facets.ts';

export const shapeTflite = { write: {}, read: {} } satisfies TfliteFacet;
