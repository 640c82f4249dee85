/** ONNX operators that are read as several of the IR's. */
import type { OnnxFacet } from '../facets.ts';
import { attentionReaders } from './onnx-attention.ts';
import { functionReaders } from './onnx-functions.ts';
import { lossReaders } from './onnx-losses.ts';
import { normReaders } from './onnx-norms.ts';
import { recurrentReaders } from './onnx-recurrent.ts';
import { knownReaders } from './onnx-windows.ts';

export const compositeOnnx = {
  read: {
    ...recurrentReaders,
    ...normReaders,
    ...functionReaders,
    ...attentionReaders,
    ...lossReaders,
    ...knownReaders,
  },
  write: {},
} satisfies OnnxFacet;
