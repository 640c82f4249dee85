import type { TfliteFacet } from '../facets.ts';

export const denseTflite = { write: {}, read: {} } satisfies TfliteFacet;
