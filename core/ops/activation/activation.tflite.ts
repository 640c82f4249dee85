import type { TfliteFacet } from '../facets.ts';

export const activationTflite = { write: {}, read: {} } satisfies TfliteFacet;
