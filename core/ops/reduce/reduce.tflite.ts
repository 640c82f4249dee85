import type { TfliteFacet } from '../facets.ts';

export const reduceTflite = { write: {}, read: {} } satisfies TfliteFacet;
