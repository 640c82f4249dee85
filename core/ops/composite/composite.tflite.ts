/** TFLite operators that are read as several of the IR's. */
import type { TfliteFacet } from '../facets.ts';
import { recurrentTfliteReaders } from './tflite-recurrent.ts';

export const compositeTflite = { read: recurrentTfliteReaders, write: {} } satisfies TfliteFacet;
