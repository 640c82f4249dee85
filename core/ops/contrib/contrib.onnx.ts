/** Operators of the domain com.microsoft, which onnxruntime's optimizers and quantizers write into models. */
import type { OnnxFacet } from '../facets.ts';
import { attentionReaders } from './attention.onnx.ts';
import { fusedReaders } from './fused.onnx.ts';
import { integerReaders } from './integer.onnx.ts';
import { qlinearReaders } from './qlinear.onnx.ts';

export const contribOnnx = {
  read: { ...fusedReaders, ...attentionReaders, ...integerReaders, ...qlinearReaders },
  write: {},
} satisfies OnnxFacet;
