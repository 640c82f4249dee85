import { precisions } from '../contract/choices.ts';
import { toErrorView } from '../contract/error-view.ts';
import { WhittleError } from '../contract/errors.ts';
import type { EstimateView, Precision, Recipe } from '../contract/views.ts';
import type { Graph } from '../ir/graph.ts';
import { refuseOpaque } from '../ir/opaque.ts';
import { isUnsupported } from '../ops/facets.ts';
import { tfliteWriters } from '../ops/registry.ts';
import { estimateSizes } from '../quantize/estimate.ts';
import { needsSamples } from '../quantize/quantize.ts';
import { withoutBorders } from '../quantize/without-borders.ts';
import { estimatePeakBytes } from './estimate-memory.ts';
import { comparedSamples } from './float-reference.ts';
import { prepareForms } from './prepare-forms.ts';
import { isQuantized, readSource, requireGraph } from './source-model.ts';

/**
 * The expected file size of every precision, and why one cannot run yet. Nothing is calibrated or written.
 * A model that cannot be converted at all blocks every precision with its reason.
 */
export async function estimateArtifacts(request: {
  path: string;
  recipe: Recipe;
  hasData: boolean;
}): Promise<EstimateView[]> {
  let sizes: Record<Precision, number> | undefined;
  let memoryBytes: number | undefined;
  let blockedAll: string | undefined;
  let hasRanges = request.hasData;
  try {
    const source = await readSource(request.path, request.recipe);
    const whole = requireGraph(source);
    const borders = source.format === 'onnx' ? withoutBorders(whole) : undefined;
    const graph = borders?.graph ?? whole;
    hasRanges ||= borders !== undefined;
    if (isQuantized(graph))
      throw new WhittleError('model.already-quantized', 'The model is quantized already.');
    const wantsTflite = request.recipe.formats.includes('tflite');
    if (wantsTflite) refuseOpaque(graph, 'TFLite');
    const { forTflite, forOnnx } = prepareForms(graph, request.recipe.layout);
    const prepared = forTflite.graph;
    memoryBytes = estimatePeakBytes(forOnnx.graph, comparedSamples(request.recipe));
    const missing = missingOperators(prepared);
    if (missing.length > 0 && wantsTflite) blockedAll = `TFLite has no form of ${missing.join(', ')}.`;
    sizes = estimateSizes(prepared);
  } catch (error) {
    const { message, code } = toErrorView(error);
    if (code === 'internal') throw error;
    blockedAll = message;
  }
  return precisions.map((precision) => ({
    precision,
    memoryBytes,
    blocked: blockedAll ?? (needsSamples(precision) && !hasRanges ? samplesMissing : undefined),
    sizeBytes: sizes?.[precision] ?? 0,
    needsSamples: needsSamples(precision),
  }));
}

const samplesMissing = 'Needs samples, to find the ranges of activations.';

function missingOperators(graph: Graph): string[] {
  const lacks = (op: string): boolean => !tfliteWriters[op] || isUnsupported(tfliteWriters[op]);
  return [...new Set(graph.nodes.map((node) => node.op).filter(lacks))].sort();
}
