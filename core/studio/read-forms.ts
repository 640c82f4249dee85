import type { Ranges } from '../calibrate/observer.ts';
import type { Recipe } from '../contract/views.ts';
import type { OpenedDataset } from '../data/dataset.ts';
import { openDataset } from '../data/open-dataset.ts';
import type { InputSpec } from '../data/sample-spec.ts';
import { needsSamples } from '../quantize/quantize.ts';
import { withoutBorders } from '../quantize/without-borders.ts';
import type { ArtifactTarget } from './artifact-targets.ts';
import { makeCooperative, throwIfAborted } from './cooperative-dataset.ts';
import { requireSamples } from './make-artifact.ts';
import type { OptimizeRequest } from './optimize.ts';
import { type PreparedForms, prepareForms } from './prepare-forms.ts';
import type { ProgressStep } from './progress.ts';
import { type KeptNumbers, keepNumbers } from './quantized-source.ts';
import { setAside } from './set-aside.ts';
import {
  isQuantized,
  readSourceFor,
  requireForms,
  requireGraph,
  type SourceModel,
  sampleInputs,
} from './source-model.ts';
import { syntheticDataset } from './synthetic-dataset.ts';
import type { DataSource } from './tasks.ts';
import type { Timings } from './timings.ts';

/** What there is once a model is read and prepared: its large weights lie in a file. */
export interface Forms extends PreparedForms {
  readonly source: SourceModel;
  readonly recipe: Recipe;
  readonly inputs: InputSpec[];
  readonly kept?: KeptNumbers;
  /** Those of a quantized ONNX file's scales. */
  readonly keptRanges?: Ranges;
  readonly dataset: OpenedDataset;
  close(): Promise<void>;
}

/** Not written where it is used: a function holds all that its place names, and there that is the source's weights. */
function closingBoth(first: Pick<Forms, 'close'>, second: Pick<Forms, 'close'>): () => Promise<void> {
  return async () => {
    await first.close();
    await second.close();
  };
}

/** Reads and prepares; nothing that it returns holds the weights of the source. */
export async function readForms(
  {
    request,
    given,
    targets,
  }: { request: OptimizeRequest; given: Recipe; targets: readonly ArtifactTarget[] },
  {
    timings,
    steps,
    signal,
  }: { timings: Timings; steps: Record<'read' | 'prepare', ProgressStep>; signal?: AbortSignal },
): Promise<Forms> {
  steps.read.begin('Reading the model');
  const { source, shapes } = await timings.measure('read', () =>
    readSourceFor(request.path, given, request.data && { preprocess: given.preprocess, ...request.data }),
  );
  const whole = requireGraph(source);
  const borders = source.format === 'onnx' ? withoutBorders(whole) : undefined;
  const graph = borders?.graph ?? whole;
  // The scales of a quantized file are the ranges of its plan; nothing is to move its numbers.
  const recipe: Recipe = {
    ...given,
    shapes: shapes as Recipe['shapes'],
    ...(borders && { recovery: 'off' }),
  };
  requireForms(source, graph, recipe.formats);
  const kept = isQuantized(graph) ? keepNumbers(source, graph, targets) : undefined;
  if (!kept && !borders && request.data === undefined && recipe.precisions.every(needsSamples))
    requireSamples(recipe.precisions.join(', '));
  const inputs = sampleInputs(graph);
  const opened = await timings.measure('read', () => openSamples(request.data, inputs, recipe));
  const dataset = makeCooperative(opened, signal);
  try {
    steps.read.finish();
    throwIfAborted(signal);
    steps.prepare.begin('Preparing the graph');
    const forms = timings.measureSync('prepare', () =>
      kept ? { forOnnx: kept.prepared, forTflite: kept.prepared } : prepareForms(graph, recipe.layout),
    );
    const aside = await timings.measure('prepare', () =>
      setAside([whole, forms.forOnnx.graph, forms.forTflite.graph]),
    );
    const [own, onnx, tflite] = aside.graphs;
    return {
      source: { ...source, graph: own },
      recipe,
      inputs,
      kept: kept && { ...kept, prepared: { ...kept.prepared, graph: onnx } },
      keptRanges: borders?.ranges,
      forOnnx: { ...forms.forOnnx, graph: onnx },
      forTflite: { ...forms.forTflite, graph: tflite },
      dataset,
      close: closingBoth(aside, dataset),
    };
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

/** The samples that were given, else random ones to compare the files on. */
async function openSamples(
  data: DataSource | undefined,
  inputs: readonly InputSpec[],
  recipe: Recipe,
): Promise<OpenedDataset> {
  if (data) return openDataset(data.paths, inputs, data.preprocess ?? recipe.preprocess);
  return { ...syntheticDataset(inputs, recipe.seed), issues: [] };
}
