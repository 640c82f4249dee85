/** ONNX operators that are read as several of the IR's. */
import type { OnnxFacet } from '../facets.ts';
import { functionReaders } from './onnx-functions.ts';
import { normReaders } from './onnx-norms.ts';
import { recurrentReaders } from './onnx-recurrent.ts';

export const compositeOnnx = {
  read: { ...recurrentReaders, ...normReaders, ...functionReaders },
  write: {},
} satisfies OnnxFacet;
